using System.Text;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Kube;

/// <summary>Kubernetes text in, objects and faults out.</summary>
internal static class KubeText
{
    public static ManifestContent Parse(string text, string file = "test.yaml")
    {
        using MemoryStream stream = new(Encoding.UTF8.GetBytes(text));
        return new ManifestParser(new StringPool(), NullLogger.Instance).Parse(file, stream);
    }

    /// <summary>The only object of a text without faults.</summary>
    public static T One<T>(string text, string file = "test.yaml")
    {
        ManifestContent content = Parse(text, file);
        Assert.Empty(content.Faults);
        return Assert.IsType<T>(Assert.Single(content.Objects).Value);
    }

    public static Fault OneFault(string text, string file = "test.yaml")
    {
        ManifestContent content = Parse(text, file);
        Assert.True(content.IsBroken);
        return Assert.Single(content.Faults);
    }

    public static string Service(string name, string spec, string metadata = "") =>
        $"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: edgezone{(metadata.Length == 0 ? "" : ", " + metadata)}}}\nspec: {{{spec}}}\n";

    public static string Slice(string name, string service, string endpoints, string ports = "{name: http, port: 8080}", string type = "IPv4") =>
        $"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: {name}, namespace: edgezone, labels: {{kubernetes.io/service-name: {service}}}}}\n"
        + $"addressType: {type}\nports: [{ports}]\nendpoints: [{endpoints}]\n";

    public static string Node(string name, string rest = "") => $"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n{rest}\n";

    public static ServiceName Name(string name) => new("edgezone", name);
}
