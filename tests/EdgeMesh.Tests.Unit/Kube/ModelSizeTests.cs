using System.Globalization;
using System.Text;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Kube;

[CollectionDefinition(nameof(ModelSizeTests), DisableParallelization = true)]
public class AloneCollection;

/// <summary>What 5,000 Services × 2 endpoints cost. Runs alone, because it measures the heap of the whole process.</summary>
[Collection(nameof(ModelSizeTests))]
public class ModelSizeTests(ITestOutputHelper output)
{
    private const int Services = 5_000;

    [Fact]
    public void TheModelOfFiveThousandServicesStaysSmall()
    {
        byte[] text = Encoding.UTF8.GetBytes(Text());
        Load(text);
        long before = Settled();
        SnapshotCell cell = Load(text);
        long size = Settled() - before;
        Assert.Equal(Services, cell.Current.Services.Count);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{text.Length / 1e6:F1} MB of YAML, model {size / 1e6:F2} MB, {size / Services} bytes a Service"));
        Assert.InRange(size, 1_000_000, 12_000_000);
        GC.KeepAlive(text);
    }

    // What other tests left goes over several collections: finalizers, pools that give back.
    private static long Settled()
    {
        long last = long.MaxValue;
        for (int i = 0; i < 20; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            long now = GC.GetTotalMemory(forceFullCollection: true);
            if (last - now is >= 0 and < 50_000 && i >= 3)
            {
                return now;
            }

            last = now;
            Thread.Sleep(100);
        }

        return last;
    }

    private static SnapshotCell Load(byte[] text)
    {
        SnapshotCell cell = new();
        MeshUpdate update = new(cell.Current);
        using MemoryStream stream = new(text);
        ManifestContent content = new ManifestParser(new StringPool(), NullLogger.Instance).Parse("all.yaml", stream);
        Assert.Empty(content.Faults);
        foreach (MappedObject each in content.Objects)
        {
            each.PutInto(update);
        }

        cell.Publish(update);
        return cell;
    }

    private static string Text()
    {
        StringBuilder text = new();
        for (int i = 0; i < Services; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $$"""
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: camera-stream-{{i}}, namespace: park-{{i % 20}}, uid: 6a1dccde-5d93-4321-94d5-{{i:d12}} }
                spec:
                  clusterIP: 10.96.{{i / 250}}.{{(i % 250) + 1}}
                  ports: [{name: http, port: 80, targetPort: 8080}]
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: camera-stream-{{i}}-x7k2p, namespace: park-{{i % 20}}, labels: {kubernetes.io/service-name: camera-stream-{{i}} } }
                addressType: IPv4
                ports: [{name: http, port: 8080}]
                endpoints:
                - {addresses: [172.17.0.{{2 + (i % 200)}}], nodeName: edge-{{i % 50}}, zone: zone-{{i % 3}}, targetRef: {kind: Pod, name: camera-stream-{{i}}-6d4cf56db6-abcde} }
                - {addresses: [172.17.0.{{(i % 200) + 3}}], nodeName: edge-{{(i + 7) % 50}}, zone: zone-{{i % 3}}, targetRef: {kind: Pod, name: camera-stream-{{i}}-6d4cf56db6-fghij} }

                """);
        }

        return text.ToString();
    }
}
