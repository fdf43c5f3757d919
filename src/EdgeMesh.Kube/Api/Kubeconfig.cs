using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>
/// A kubeconfig file (<c>kubectl config</c>): the current context's cluster and user, data inline or in files beside it,
/// certificates, tokens, token files, exec credentials.
/// </summary>
internal static class Kubeconfig
{
    /// <exception cref="MeshException">It cannot be read or does not say where the API is.</exception>
    public static ApiEndpoint Read(string file)
    {
        string path = Path.GetFullPath(file);
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshExit.Usage, $"--kubeconfig {path}: cannot be read: {fault.Message}", fault);
        }
        catch (DocumentException fault)
        {
            throw new MeshException(MeshExit.Usage, $"--kubeconfig {path}:{fault.Line}: {fault.Message}", fault);
        }
    }

    internal static ApiEndpoint Parse(string text, string path)
    {
        Datum root = YamlReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(text))).FirstOrDefault() ?? Datum.Empty;
        MeshException Fault(string reason) => new(MeshExit.Usage, $"--kubeconfig {path}: {reason}");
        string name = root["current-context"].Text;
        if (name.Length == 0)
        {
            throw Fault("has no current-context: 'kubectl config use-context NAME' sets one");
        }

        Datum context = Named(root["contexts"], name)?["context"] ?? throw Fault($"has no context '{name}', which current-context names");
        string clusterName = context["cluster"].Text;
        Datum cluster = Named(root["clusters"], clusterName)?["cluster"] ?? throw Fault($"has no cluster '{clusterName}', which context '{name}' names");
        string userName = context["user"].Text;
        Datum user = userName.Length == 0 ? Datum.Empty : Named(root["users"], userName)?["user"] ?? throw Fault($"has no user '{userName}', which context '{name}' names");
        if (!Uri.TryCreate(cluster["server"].Text, UriKind.Absolute, out Uri? server) || (server.Scheme != Uri.UriSchemeHttps && server.Scheme != Uri.UriSchemeHttp))
        {
            throw Fault($"cluster '{clusterName}': server '{cluster["server"].Text}' is no http or https address");
        }

        string folder = Path.GetDirectoryName(path) ?? "/";
        Func<string>? authority = Pem(cluster, "certificate-authority", folder, Fault);
        Func<string>? certificate = Pem(user, "client-certificate", folder, Fault);
        Func<string>? key = Pem(user, "client-key", folder, Fault);
        TlsMaterial tls = new()
        {
            Authority = authority,
            Client = certificate is not null && key is not null ? () => (certificate(), key()) : null,
            ServerName = cluster["tls-server-name"] is { Kind: DatumKind.String } given ? given.Text : null,
            SkipVerify = cluster["insecure-skip-tls-verify"] is { Kind: DatumKind.Bool, Text: "true" },
        };
        return new ApiEndpoint
        {
            Name = $"kubeconfig {path} ({name})",
            Base = server,
            Tls = tls.Apply,
            Token = Token(user, folder, userName, Fault),
            Proxy = cluster["proxy-url"].Text is { Length: > 0 } proxy ? ProxyUrl(proxy, Fault) : null,
        };
    }

    private static Uri ProxyUrl(string text, Func<string, MeshException> fault) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" or "socks5"
            ? url
            : throw fault($"proxy-url '{text}' is no http, https or socks5 address");

    private static Datum? Named(Datum list, string name) => list.Items.FirstOrDefault(item => item["name"].Text == name);

    private static Func<string>? Pem(Datum from, string field, string folder, Func<string, MeshException> fault)
    {
        if (from[field + "-data"] is { Kind: DatumKind.String } inline)
        {
            try
            {
                string pem = Encoding.UTF8.GetString(Convert.FromBase64String(inline.Text));
                return () => pem;
            }
            catch (FormatException)
            {
                throw fault($"{field}-data is not base64");
            }
        }

        if (from[field] is { Kind: DatumKind.String } named)
        {
            string file = Path.GetFullPath(named.Text, folder);
            return File.Exists(file) ? () => File.ReadAllText(file) : throw fault($"{field} '{file}' does not exist");
        }

        return null;
    }

    private static TokenSource Token(Datum user, string folder, string userName, Func<string, MeshException> fault)
    {
        if (user["tokenFile"] is { Kind: DatumKind.String } file)
        {
            return TokenSource.File(Path.GetFullPath(file.Text, folder));
        }

        if (user["token"] is { Kind: DatumKind.String } token)
        {
            return TokenSource.Fixed(token.Text);
        }

        Datum exec = user["exec"];
        if (exec.Kind == DatumKind.Map)
        {
            string command = exec["command"].Text;
            return TokenSource.Exec(
                command.Contains('/', StringComparison.Ordinal) ? Path.GetFullPath(command, folder) : command,
                [.. exec["args"].Items.Select(item => item.Text)],
                exec["env"].Items.DistinctBy(item => item["name"].Text).ToDictionary(item => item["name"].Text, item => item["value"].Text),
                exec["apiVersion"].Text);
        }

        return user["auth-provider"].Kind == DatumKind.Map || user["username"].Kind != DatumKind.Null
            ? throw fault($"user '{userName}': auth-provider and passwords are no longer part of Kubernetes: use a certificate, a token or exec credentials")
            : TokenSource.None;
    }
}
