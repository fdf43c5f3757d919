using System.Text;
using CsCheck;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Kube;

public class ManifestParserTests
{
    private static readonly string Video = KubeText.Service("video", "clusterIP: 10.96.0.1, ports: [{port: 80}]");

    [Fact]
    public void ReadsSeveralDocumentsAndSkipsEmptyOnes()
    {
        ManifestContent content = KubeText.Parse($"---\n# nothing\n---\n{Video}---\n{KubeText.Node("edge-1")}---\n...\n");
        Assert.Empty(content.Faults);
        Assert.Equal(["Service edgezone/video", "Node edge-1"], content.Objects.Select(o => o.Key.ToString()));
        Assert.Equal([4, 9], content.Objects.Select(o => o.Line));
    }

    [Fact]
    public void ReadsLists()
    {
        ManifestContent content = KubeText.Parse("""
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: v1, kind: Node, metadata: {name: edge-1}}
            - apiVersion: v1
              kind: ServiceList
              items:
              - {metadata: {name: a}, spec: {clusterIP: None}}
            - apiVersion: discovery.k8s.io/v1
              kind: EndpointSliceList
              items:
              - {metadata: {name: s, labels: {kubernetes.io/service-name: a}}, addressType: IPv4}
            - {apiVersion: v1, kind: NodeList, items: null}
            """);
        Assert.Empty(content.Faults);
        Assert.Equal(
            ["Node edge-1", "Service default/a", "EndpointSlice default/s"], content.Objects.Select(o => o.Key.ToString()));
    }

    [Theory]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: 5}")]
    [InlineData("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\ndata: {a: b}")]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    public void IgnoresWhatTheMeshDoesNotUse(string text)
    {
        ManifestContent content = KubeText.Parse(text);
        Assert.Empty(content.Faults);
        Assert.Empty(content.Objects);
    }

    [Fact]
    public void AnchorsAndMergeKeysWork()
    {
        ManifestContent content = KubeText.Parse("""
            apiVersion: v1
            kind: List
            items:
            - &a {apiVersion: v1, kind: Service, metadata: &m {name: a, namespace: edgezone}, spec: &s {clusterIP: None}}
            - <<: *a
              metadata: {<<: *m, name: b}
            - {<<: [*a], metadata: {name: c}, spec: *s}
            """);
        Assert.Empty(content.Faults);
        Assert.Equal(
            ["Service edgezone/a", "Service edgezone/b", "Service default/c"], content.Objects.Select(o => o.Key.ToString()));
    }

    [Theory]
    [InlineData("kind: Service\nmetadata: {name: a}", 1, "needs apiVersion")]
    [InlineData("apiVersion: v1\nmetadata: {name: a}", 1, "needs kind")]
    [InlineData("\n\n- a\n- b\n", 3, "a map with apiVersion and kind, not a list")]
    [InlineData("hello", 1, "not \"hello\"")]
    [InlineData("apiVersion: v1\nkind: List\nitems: {}", 3, "List: items must be a list")]
    [InlineData("apiVersion: v1\nkind: List\nitems:\n- 5\n", 4, "not 5")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {}\nspec: {clusterIP: None}", 3, "Service: metadata.name is missing")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata:\n  name: A_b\nspec: {clusterIP: None}", 4, "Service: metadata.name \"A_b\" is not a name")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata:\n  name: 5\nspec: {clusterIP: None}", 4, "metadata.name must be a string, not 5")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  namespace: a.b\nspec: {clusterIP: None}", 5, "\"a.b\" is not a namespace")]
    [InlineData("apiVersion: v1\nkind: Node\nmetadata: [a]\n", 3, "metadata must be a map")]
    [InlineData("a: b\n c: d\n", 2, "not YAML")]
    [InlineData("a: [b\n", 2, "not YAML")]
    [InlineData("a: 1\nb: 2\na: 3\n", 3, "key \"a\" stands twice")]
    [InlineData("a: *b\n", 1, "alias *b has no anchor")]
    [InlineData("a: &x\n  b: *x\n", 2, "alias *x has no anchor")]
    [InlineData("? {a: b}\n: c\n", 1, "a key must be a plain name")]
    [InlineData("x: 1\ny:\n  z: 1\na:\n\tb: c\n", 5, "not YAML")]
    [InlineData("x: 1\ny:\n  z: 1\n  a: b\n\tb: c\nd: e\n", 5, "not YAML")]
    public void NamesLineAndReason(string text, int line, string reason)
    {
        Fault fault = KubeText.OneFault(text);
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
        Assert.Equal(line, fault.Line);
    }

    [Fact]
    public void ReportsEveryFaultOfAFileAtOnce()
    {
        ManifestContent content = KubeText.Parse(
            KubeText.Service("a", "clusterIP: x, ports: [{port: 0}], type: Y") + "---\n" + KubeText.Node("n", "spec: {podCIDR: z}"));
        Assert.Equal(4, content.Faults.Length);
        Assert.Equal([4, 4, 4, 9], content.Faults.Select(fault => fault.Line));
    }

    [Fact]
    public void AnObjectTwiceInAFileIsAFault() =>
        Assert.Equal(
            new Fault(6, "Service edgezone/video stands twice in this file, first on line 1"),
            KubeText.OneFault(Video + "---\n" + Video));

    [Fact]
    public void DeepNestingIsAFaultAndNoCrash()
    {
        Assert.Contains("nested more than", KubeText.OneFault(new string('[', 20_000)).Reason, StringComparison.Ordinal);
        Assert.Contains("not JSON", KubeText.OneFault(new string('[', 20_000), "x.json").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void NotUtf8IsAFault()
    {
        using MemoryStream stream = new([.. "a: "u8, 0xff, 0xfe, 0xfd, (byte)'\n']);
        ManifestContent content = new ManifestParser(new StringPool(), NullLogger.Instance).Parse("x.yaml", stream);
        Assert.Contains("UTF-8", Assert.Single(content.Faults).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void JsonFilesHaveLinesToo()
    {
        Fault fault = KubeText.OneFault(
            "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Service\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\n\t\t\"clusterIP\": \"10.0.0\",\n\t\t\"ports\": [{\"port\": 1}]}}\n",
            "a.json");
        Assert.Equal(6, fault.Line);
        Assert.Contains("\"10.0.0\" is neither", fault.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\n\"a\": \n}", 3)]
    [InlineData("{\"a\": 1} {\"b\": 2}", 1)]
    [InlineData("{\"a\": \"\\ud800\"}", 1)]
    [InlineData("{", 1)]
    public void BrokenJsonIsAFault(string text, int line)
    {
        Fault fault = KubeText.OneFault(text, "x.json");
        Assert.StartsWith("not JSON: ", fault.Reason, StringComparison.Ordinal);
        Assert.Equal(line, fault.Line);
    }

    [Fact]
    public void AnEmptyJsonFileHoldsNothing() => Assert.Empty(KubeText.Parse(" \n", "x.json").Faults);

    [Theory]
    [InlineData("a.yaml", true)]
    [InlineData("a.YML", true)]
    [InlineData("a.json", true)]
    [InlineData("a.yaml~", false)]
    [InlineData(".a.yaml", false)]
    [InlineData(".a.yaml.swp", false)]
    [InlineData("#a.yaml#", false)]
    [InlineData("#a.yaml", false)]
    [InlineData("..data", false)]
    [InlineData("4913", false)]
    [InlineData("a.yaml.tmp", false)]
    public void KnowsManifestsByName(string name, bool expected) => Assert.Equal(expected, ManifestDirectory.IsManifest(name));

    [Fact]
    public void MutatedTextNeverThrows()
    {
        byte[] good = Encoding.UTF8.GetBytes(
            Video + "---\n" + KubeText.Slice("s", "video", "{addresses: [10.0.0.1], hints: {forZones: [{name: z}]}}") + "---\n" + KubeText.Node("n"));
        ManifestParser parser = new(new StringPool(), NullLogger.Instance);
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length]).Array[1, 6].Sample(
            edits =>
            {
                byte[] text = [.. good];
                int length = good.Length;
                foreach ((int at, byte value, int cut) in edits)
                {
                    text[at] = value;
                    length = value < 8 ? cut : length;
                }

                foreach (string file in new[] { "x.yaml", "x.json" })
                {
                    using MemoryStream stream = new(text, 0, length);
                    parser.Parse(file, stream);
                }
            },
            iter: 2_000);
    }
}
