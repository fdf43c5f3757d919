using System.Globalization;

namespace EdgeMesh.Tests.Lab.Proxy.Conformance;

/// <summary>One park with a Service for each <see cref="TopologyCase"/>.</summary>
public sealed class TopologyNet : IAsyncLifetime
{
    internal ProxyNet Net { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Net = await ProxyNet.RaiseAsync();
        foreach ((int node, string zone) in ((int, string)[])[(1, "zone-a"), (2, "zone-a"), (3, "zone-b")])
        {
            await File.WriteAllTextAsync(Path.Combine(Net.Manifests, node == 1 ? "node.yaml" : $"node{node}.yaml"), $$"""
                apiVersion: v1
                kind: Node
                metadata: {name: edge{{node}}, labels: {topology.kubernetes.io/zone: {{zone}} } }
                status: {addresses: [{type: InternalIP, address: 10.99.0.{{node}} }] }
                """);
        }

        for (int i = 0; i < TopologyCase.All.Count; i++)
        {
            TopologyCase each = TopologyCase.All[i];
            string ports = each.Spec.Contains("NodePort", StringComparison.Ordinal) ? $"\nnodePort: {31_000 + i}" : "";
            await Net.ServiceWithAsync(
                each.Id, AddressOf(i), each.Spec.Replace(";", "\n", StringComparison.Ordinal) + ports,
                [.. each.Endpoints.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Endpoint)]);
        }

        await Net.StartProxyAsync();
    }

    public async Task DisposeAsync() => await Net.DisposeAsync();

    internal (string Space, string To) Client(TopologyCase each)
    {
        int index = TopologyCase.All.ToList().IndexOf(each);
        return each.From == "outside" ? (Net.Peer2, $"10.99.0.1:{31_000 + index}") : (Net.Pod1, $"{AddressOf(index)}:80");
    }

    private static string AddressOf(int index) => $"10.96.1.{index + 1}";

    private static string Endpoint(string text)
    {
        string name = text[..(text[0] == 'p' ? 4 : 5)];
        string place = name switch
        {
            "pod1" => "172.17.0.2@edge1",
            "pod2" => "172.17.0.3@edge1",
            _ => $"172.17.0.3@{name}",
        };
        List<string> conditions = [];
        List<string> hints = [];
        for (int i = name.Length; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '!':
                    conditions.Add("ready: false");
                    break;
                case '~':
                    conditions.Add(text.Contains('!', StringComparison.Ordinal) ? "terminating: true" : "ready: false, terminating: true");
                    break;
                case '#':
                    conditions.Add("serving: false");
                    break;
                case '/' or '@':
                    int end = text.IndexOfAny(['!', '~', '#', '/', '@'], i + 1) is > 0 and int found ? found : text.Length;
                    string names = string.Join(", ", text[(i + 1)..end].Select(c => string.Create(
                        CultureInfo.InvariantCulture, $"{{name: {(text[i] == '/' ? $"zone-{c}" : $"edge{c}")}}}")));
                    hints.Add($"{(text[i] == '/' ? "forZones" : "forNodes")}: [{names}]");
                    i = end - 1;
                    break;
            }
        }

        string fields = string.Join(", ", ((string[])[
            conditions.Count > 0 ? $"conditions: {{{string.Join(", ", conditions)}}}" : "",
            hints.Count > 0 ? $"hints: {{{string.Join(", ", hints)}}}" : "",
        ]).Where(f => f.Length > 0));
        return fields.Length > 0 ? $"{place} {fields}" : place;
    }
}
