using System.Globalization;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>The APIs that come into question.</summary>
internal static class ApiChoice
{
    private const string AccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
    private const string MetaServer = "http://127.0.0.1:10550";

    /// <exception cref="MeshException">What the operator wrote is no API.</exception>
    public static IReadOnlyList<ApiEndpoint> Of(KubeOptions options, Func<string, string?> environment)
    {
        if (options.Kubeconfig is { } file)
        {
            return [Kubeconfig.Read(file)];
        }

        if (options.InCluster)
        {
            return [InCluster(environment) ?? throw new MeshException(
                MeshExit.Usage, $"--in-cluster: this is no pod with a ServiceAccount (no KUBERNETES_SERVICE_HOST or no {AccountFolder}/token): use --kubeconfig or --kube-api")];
        }

        return options.Api is { } url ? [Plain(url, options)] : Auto(environment);
    }

    private static List<ApiEndpoint> Auto(Func<string, string?> environment)
    {
        List<ApiEndpoint> found = [];
        if (InCluster(environment) is { } inside)
        {
            found.Add(inside);
        }

        found.Add(Plain(MetaServer, new KubeOptions()));
        string own = environment("KUBECONFIG")?.Split(':')[0] is { Length: > 0 } given ? given : Path.Combine(environment("HOME") ?? "/root", ".kube", "config");
        if (File.Exists(own))
        {
            found.Add(Kubeconfig.Read(own));
        }

        return found;
    }

    private static ApiEndpoint Plain(string url, KubeOptions options)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            throw new MeshException(MeshExit.Usage, $"--kube-api '{url}': is no http or https address; for a MetaServer give {MetaServer}, for whichever answers --kube auto");
        }

        string? authority = options.ApiAuthority;
        return new ApiEndpoint
        {
            Name = $"API {address.GetLeftPart(UriPartial.Authority)}",
            Base = address,
            IsMetaServer = options.IsMetaServer ?? address.Port is 10550 or 10551,
            Tls = authority is null ? null : new TlsMaterial { Authority = () => File.ReadAllText(authority) }.Apply,
        };
    }

    // As every pod has it: environment, token and CA are put there by the kubelet.
    private static ApiEndpoint? InCluster(Func<string, string?> environment)
    {
        string token = Path.Combine(AccountFolder, "token");
        if (environment("KUBERNETES_SERVICE_HOST") is not { Length: > 0 } host || !File.Exists(token))
        {
            return null;
        }

        string port = environment("KUBERNETES_SERVICE_PORT") ?? "443";
        return new ApiEndpoint
        {
            Name = "the cluster's API (ServiceAccount)",
            Base = new UriBuilder(Uri.UriSchemeHttps, host, int.Parse(port, CultureInfo.InvariantCulture)).Uri,
            Token = TokenSource.File(token),
            Tls = new TlsMaterial { Authority = () => File.ReadAllText(Path.Combine(AccountFolder, "ca.crt")) }.Apply,
        };
    }
}
