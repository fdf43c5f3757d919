using System.Collections;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Model;

/// <summary>Each property alone must make two objects differ; a property added later is tested without being named here.</summary>
public class ModelEqualityTests
{
    public static TheoryData<string, string> Properties()
    {
        TheoryData<string, string> data = [];
        foreach (Type type in new[] { typeof(Service), typeof(EndpointSlice), typeof(Endpoint), typeof(Node) })
        {
            foreach (PropertyInfo property in type.GetProperties().Where(property => property.CanWrite))
            {
                data.Add(type.Name, property.Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Properties))]
    public void EveryPropertyCounts(string typeName, string name)
    {
        object one = New(typeName);
        object other = New(typeName);
        Assert.True(Same(one, other));
        PropertyInfo property = one.GetType().GetProperty(name)!;
        property.SetValue(other, Another(property.PropertyType, property.GetValue(other)));
        Assert.False(Same(one, other), $"{typeName}.{name} is not compared");

        object third = New(typeName);
        property.SetValue(third, Another(property.PropertyType, property.GetValue(third)));
        Assert.True(Same(other, third), $"{typeName}.{name} is compared by reference");
    }

    [Fact]
    public void NothingEqualsOnlyNothing()
    {
        Assert.True(ModelEquality.Same((Service?)null, null));
        Assert.False(ModelEquality.Same(null, new Service { Name = default }));
    }

    private static object New(string type) => type switch
    {
        nameof(Service) => new Service { Name = new ServiceName("a", "b") },
        nameof(EndpointSlice) => new EndpointSlice { Key = "a/b", Service = new ServiceName("a", "b") },
        nameof(Endpoint) => new Endpoint { Address = IPAddress.Parse("10.0.0.1") },
        _ => new Node { Name = NodeName.Parse("n") },
    };

    private static bool Same(object a, object b) => (a, b) switch
    {
        (Service x, Service y) => ModelEquality.Same(x, y),
        (EndpointSlice x, EndpointSlice y) => ModelEquality.Same(x, y),
        (Endpoint x, Endpoint y) => ModelEquality.Same(x, y),
        (Node x, Node y) => ModelEquality.Same(x, y),
        _ => throw new InvalidOperationException(),
    };

    // A value that differs from the given one, made anew at each call so that nothing is equal by reference.
    private static object Another(Type type, object? value) => value switch
    {
        bool flag => !flag,
        Enum when type == typeof(AddressFamily) => AddressFamily.InterNetworkV6,
        Enum => Enum.ToObject(type, 1),
        ushort => (ushort)7,
        ServiceName => new ServiceName("c", "d"),
        NodeName => NodeName.Parse("other"),
        IPAddress => IPAddress.Parse("10.0.0.2"),
        IEnumerable when type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>) =>
            ArrayOf(type.GenericTypeArguments[0]),
        _ when type == typeof(string) => new string('x', 3),
        null when Nullable.GetUnderlyingType(type) == typeof(NodeName) => NodeName.Parse("other"),
        null when Nullable.GetUnderlyingType(type) == typeof(TimeSpan) => TimeSpan.FromSeconds(1),
        _ => throw new NotSupportedException($"give {type} another value here"),
    };

    private static object ArrayOf(Type item) => item switch
    {
        _ when item == typeof(IPAddress) => ImmutableArray.Create(IPAddress.Parse("10.0.0.9")),
        _ when item == typeof(IPNetwork) => ImmutableArray.Create(IPNetwork.Parse("10.0.0.0/8")),
        _ when item == typeof(ServicePort) => ImmutableArray.Create(new ServicePort("a", TransportProtocol.Tcp, 1)),
        _ when item == typeof(EndpointPort) => ImmutableArray.Create(new EndpointPort("a", TransportProtocol.Tcp, 1)),
        _ when item == typeof(Endpoint) => ImmutableArray.Create(
            new Endpoint { Address = IPAddress.Parse("10.0.0.9"), ZoneHints = [new string('z', 2)] }),
        _ when item == typeof(string) => ImmutableArray.Create(new string('z', 2)),
        _ when item == typeof(NodeName) => ImmutableArray.Create(NodeName.Parse("other")),
        _ => throw new NotSupportedException($"give an array of {item} here"),
    };
}
