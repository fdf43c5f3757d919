using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Dns;

internal sealed class ServiceNameComparer : IEqualityComparer<ServiceName>, IAlternateEqualityComparer<WireServiceName, ServiceName>
{
    public static readonly ServiceNameComparer Instance = new();

    public bool Equals(ServiceName x, ServiceName y) => x == y;

    public int GetHashCode(ServiceName obj) => (int)AsciiHash.Add(AsciiHash.Add(AsciiHash.Seed, obj.Name), obj.Namespace);

    public bool Equals(WireServiceName alternate, ServiceName other) =>
        Ascii.Equals(alternate.Name, other.Name) && Ascii.Equals(alternate.Namespace, other.Namespace);

    public int GetHashCode(WireServiceName alternate) =>
        (int)AsciiHash.Add(AsciiHash.Add(AsciiHash.Seed, alternate.Name), alternate.Namespace);

    public ServiceName Create(WireServiceName alternate) =>
        new(Encoding.ASCII.GetString(alternate.Namespace), Encoding.ASCII.GetString(alternate.Name));
}
