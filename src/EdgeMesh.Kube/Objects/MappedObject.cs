using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>An object as the model wants it.</summary>
/// <param name="Key">Which object.</param>
/// <param name="Line">Where it begins, 0 without lines.</param>
/// <param name="Value">A <see cref="Service"/>, <see cref="EndpointSlice"/>, <see cref="Node"/> or <see cref="BalancingRule"/>.</param>
internal sealed record MappedObject(ObjectKey Key, int Line, object Value)
{
    public void PutInto(MeshUpdate update)
    {
        switch (Value)
        {
            case Service service:
                update.Set(service);
                break;
            case EndpointSlice slice:
                update.Set(slice);
                break;
            case Node node:
                update.Set(node);
                break;
            case BalancingRule rule:
                update.Set(rule);
                break;
        }
    }
}
