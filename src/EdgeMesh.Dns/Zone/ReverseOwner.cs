namespace EdgeMesh.Dns;

/// <summary>What an address is called.</summary>
/// <param name="Service">The Service, by ClusterIP or through its endpoint.</param>
/// <param name="EndpointLabel">First label of the endpoint's name; null for a ClusterIP.</param>
internal sealed record ReverseOwner(Model.ServiceName Service, byte[]? EndpointLabel)
{
    public bool Equals(ReverseOwner? other) =>
        other is not null && Service == other.Service
        && (EndpointLabel ?? []).AsSpan().SequenceEqual(other.EndpointLabel ?? []);

    public override int GetHashCode() => Service.GetHashCode();
}
