using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>A cluster of many Services <c>s0</c>, <c>s1</c>, ... served by an API server on one of the nodes.</summary>
internal sealed class LargeCluster(Node node)
{
    public const string Api = "127.0.0.1:8080";

    private LabProcess? api;

    /// <summary>A Service with a local and a remote endpoint. With what the API adds and the mesh skips, some 1.3 kB each.</summary>
    public static IEnumerable<string> Make(int number) => Make(number, "172.17.0.3");

    /// <inheritdoc cref="Make(int)"/>
    public static IEnumerable<string> Make(int number, string second)
    {
        string address = AddressOf(number);
        yield return $$"""
            {"kind":"Service","apiVersion":"v1","metadata":{"name":"s{{number}}","namespace":"default","labels":{"app":"s{{number}}"},
             "managedFields":[{"manager":"kubectl-client-side-apply","operation":"Update","apiVersion":"v1","time":"2026-11-22T11:37:59Z","fieldsType":"FieldsV1",
               "fieldsV1":{"f:metadata":{"f:annotations":{ } },"f:spec":{"f:internalTrafficPolicy":{ },"f:ports":{ } } } }]},
             "spec":{"type":"ClusterIP","clusterIP":"{{address}}","clusterIPs":["{{address}}"],"ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack",
               "selector":{"app":"s{{number}}"},"sessionAffinity":"None","ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":80}]} }
            """;
        yield return $$"""
            {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"s{{number}}-x7k2p","namespace":"default",
             "labels":{"kubernetes.io/service-name":"s{{number}}","endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"} },"addressType":"IPv4","endpoints":[
               {"addresses":["172.17.0.2"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"edge3","targetRef":{"kind":"Pod","name":"s{{number}}-6d4cf56db6-aaaaa","namespace":"default"} },
               {"addresses":["{{second}}"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"edge1","targetRef":{"kind":"Pod","name":"s{{number}}-6d4cf56db6-bbbbb","namespace":"default"} }],
             "ports":[{"name":"http","protocol":"TCP","port":80}]}
            """;
    }

    public static string AddressOf(int number) => $"10.{100 + (number / 62_500)}.{number / 250 % 250}.{(number % 250) + 1}";

    public Task StartAsync(ParkLab park, int services, CancellationToken stop)
    {
        api = node.Host.Start("kube-api", [Path.Combine(AppContext.BaseDirectory, "edgemesh-lab"), "api", Api]);
        return ApplyAsync([.. park.Nodes.Select(ParkServices.Json), .. Enumerable.Range(0, services).SelectMany(Make)], stop);
    }

    public void Stop() => api?.Signal("KILL");

    public async Task ApplyAsync(IEnumerable<string> objects, CancellationToken stop)
    {
        string file = Path.Combine(node.Host.Lab.Directory, "objects.json");
        await File.WriteAllTextAsync(file, $"[{string.Join(',', objects)}]", stop);
        await ParkMesh.UntilAsync("the API takes the objects", async () => (await node.Host.RunAsync(
            stop, "curl", "-sf", "-m", "20", "-X", "POST", "--data-binary", "@" + file, $"http://{Api}/control/apply")).Succeeded, stop);
    }
}
