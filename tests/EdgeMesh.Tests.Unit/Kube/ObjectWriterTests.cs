using System.Buffers;
using System.Text.Json;
using CsCheck;
using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

/// <summary>Writer and mapper are each other's inverse, which also proves that the mapper loses no field.</summary>
public class ObjectWriterTests
{
    private static readonly Gen<ServiceName> Names = Gen.Bool.Select(flag => flag ? new ServiceName("default", "a") : new ServiceName("edgezone", "video"));

    [Fact]
    public void ServicesComeBackEqual() => ModelGen.Services(Names).Sample(
        service => ModelEquality.Same(service, (Service)RoundTrip(json => ObjectWriter.Write(json, service))));

    [Fact]
    public void SlicesComeBackEqual() => ModelGen.Slices(Names).Sample(
        slice => ModelEquality.Same(slice, (EndpointSlice)RoundTrip(json => ObjectWriter.Write(json, slice))));

    [Fact]
    public void NodesComeBackEqual() => ModelGen.Nodes().Sample(
        node => ModelEquality.Same(node, (Node)RoundTrip(json => ObjectWriter.Write(json, node))));

    [Theory]
    [InlineData(BalancingPolicy.Spread)]
    [InlineData(BalancingPolicy.LeastLoaded)]
    [InlineData(BalancingPolicy.ClientHash)]
    public void RulesComeBackEqual(BalancingPolicy policy)
    {
        BalancingRule rule = new("park/rule", new ServiceName("default", "video"), policy);
        Assert.Equal(rule, RoundTrip(json => ObjectWriter.Write(json, rule)));
    }

    private static object RoundTrip(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes))
        {
            write(json);
        }

        List<MappedObject> objects = [];
        List<Fault> faults = [];
        new ObjectMapper(new StringPool()).Map(JsonReader.Read(bytes.WrittenSpan, new StringPool(), countLines: false), objects, faults);
        Assert.Empty(faults);
        return Assert.Single(objects).Value;
    }
}
