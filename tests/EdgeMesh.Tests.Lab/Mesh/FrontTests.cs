using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>
/// The server shares port 443 with another site behind nginx, with the configuration of docs/operations.md; a site whose router lets
/// only TCP 443 out relays over it.
/// </summary>
public sealed class FrontTests
{
    private const string Mesh = "mesh.example.org";
    private const string Other = "www.example.org";

    [Theory]
    [InlineData(Mesh)]
    [InlineData(PairLab.ServerAddress)]
    public async Task RelaysOverPort443BesideAnotherSite(string server)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        await using PairLab pair = await PairLab.CreateAsync(
            Site.All.Single(site => site.Name == "only TCP 443"),
            Site.All.Single(site => site.Name == "public"),
            ParkFixture.Binary,
            stop,
            new PairOptions
            {
                Server = server,
                ServerArguments = ["--proxy-protocol-from", "127.0.0.1"],
                Prepare = PrepareAsync,
            });
        await pair.RestartAsync(stop);

        CommandResult answer = new(1, "", "");
        await ParkMesh.UntilAsync("the Service answers over port 443", async () => (answer = await pair.RequestAsync(stop)).Succeeded, stop);
        Assert.Equal("ok\n", answer.Output);
        using JsonDocument agent = await pair.AskAsync(pair.First.Node.Host, "edge1", stop, "status");
        Assert.Equal(
            (PairLab.ServerAddress + ":443", "tls"),
            (agent.RootElement.GetProperty("servers")[0].GetProperty("address").GetString(), agent.RootElement.GetProperty("servers")[0].GetProperty("leg").GetString()));

        // The server sees the agents' own addresses through nginx and past it.
        using JsonDocument seen = await pair.AskAsync(pair.Server, "server", stop, "server", "status");
        Assert.Equal(
            ["edge1 45.45.45.11 tls", "edge2 45.45.45.12 udp"],
            seen.RootElement.GetProperty("connected").EnumerateArray().Select(
                node => $"{node.GetProperty("node").GetString()} {node.GetProperty("address").GetString()} {node.GetProperty("leg").GetString()}"));

        Assert.Equal("another site, for 45.45.45.11\n", await pair.First.Node.Host.MustAsync(
            stop, "curl", "-sS", "-m", "10", "--cacert", Path.Combine(pair.Lab.Directory, "site.crt"), $"https://{Other}/"));
    }

    private static async Task PrepareAsync(PairLab pair, CancellationToken stop)
    {
        foreach (Host host in (Host[])[pair.First.Node.Host, pair.Second.Node.Host, pair.Server])
        {
            await host.NameAsync($"{PairLab.ServerAddress} {Mesh} {Other}", stop);
        }

        string root = pair.Lab.Directory;
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={Other}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(Other);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(root, "site.crt"), certificate.ExportCertificatePem(), stop);
        await File.WriteAllTextAsync(Path.Combine(root, "site.key"), key.ExportPkcs8PrivateKeyPem(), stop);
        string configuration = Path.Combine(root, "front.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            daemon off;
            user root;
            worker_processes 1;
            pid {{root}}/front.pid;
            error_log {{root}}/front-error.log;
            events { worker_connections 1024; }
            stream {
              map $ssl_preread_server_name $behind443 {
                {{Mesh}} 127.0.0.1:20006;
                edgemesh-server 127.0.0.1:20006;
                default 127.0.0.1:8443;
              }
              server {
                listen 443;
                ssl_preread on;
                proxy_pass $behind443;
                proxy_protocol on;
                proxy_buffer_size 64k;
              }
            }
            http {
              access_log off;
              client_body_temp_path {{root}}/t1; proxy_temp_path {{root}}/t2; fastcgi_temp_path {{root}}/t3; uwsgi_temp_path {{root}}/t4; scgi_temp_path {{root}}/t5;
              server {
                listen 127.0.0.1:8443 ssl proxy_protocol;
                server_name {{Other}};
                ssl_certificate {{root}}/site.crt;
                ssl_certificate_key {{root}}/site.key;
                location / { return 200 "another site, for $proxy_protocol_addr\n"; }
              }
            }
            """, stop);
        LabProcess nginx = pair.Server.Start("front", ["nginx", "-c", configuration]);
        await ParkMesh.UntilAsync("the other site answers", async () => nginx.HasExited
            ? throw new LabException($"nginx ended: {nginx.Log()}")
            : (await pair.Server.RunAsync(stop, "curl", "-sfk", "-m", "2", "-o", "/dev/null", $"https://{Other}/")).Succeeded, stop);
    }
}
