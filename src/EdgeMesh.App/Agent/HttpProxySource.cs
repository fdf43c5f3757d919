using EdgeMesh.App.Settings;
using EdgeMesh.Model;
using EdgeMesh.Tunnel;

namespace EdgeMesh.App.Agent;

/// <summary>
/// Where the HTTP proxy comes from: <c>tunnel.httpProxy</c>, else the variables that curl reads for https URLs. A password stands in
/// the file or in the environment, never in an argument that <c>ps</c> shows.
/// </summary>
internal static class HttpProxySource
{
    /// <summary>In curl's order; the small letters go first.</summary>
    private static readonly string[] Variables = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

    private static readonly string[] ExceptionVariables = ["no_proxy", "NO_PROXY"];

    /// <summary>What the option says: a proxy, <c>off</c>, or null for nothing.</summary>
    /// <exception cref="MeshException">It is malformed, or a password stands in an argument. No message repeats the value.</exception>
    public static (HttpProxy? Proxy, bool IsOff) ReadOption(SettingValues values, Setting setting)
    {
        if (values.Text(setting) is not { } text)
        {
            return (null, false);
        }

        if (text == "off")
        {
            return (null, true);
        }

        if (!HttpProxy.TryParse(text, out HttpProxy? proxy, out string? fault))
        {
            throw new MeshException(MeshExit.Usage, $"{values.OriginOf(setting)}: {fault}; give http://HOST:PORT such as http://10.0.0.1:3128, or off");
        }

        return !proxy.HasCredentials || values.OriginOf(setting) != setting.Flag
            ? (proxy, false)
            : throw new MeshException(
                MeshExit.Usage,
                $"{setting.Flag}: a password in an argument can be read by every user of this machine: write '{setting.Name}: http://USER:PASSWORD@{proxy}' into the --config file, or set HTTPS_PROXY");
    }

    /// <summary>The proxy to use, without the hosts of <c>NO_PROXY</c>.</summary>
    /// <param name="given">By the option.</param>
    /// <param name="isOff">The option says: none.</param>
    /// <param name="environment">Reads a variable.</param>
    /// <param name="ignored">Why a variable is not used, or null: it was set for other programs too, and is no reason not to start.</param>
    public static HttpProxy? Choose(HttpProxy? given, bool isOff, Func<string, string?> environment, out string? ignored)
    {
        ignored = null;
        if (isOff)
        {
            return null;
        }

        HttpProxy? proxy = given;
        string? variable = proxy is null ? Array.Find(Variables, name => !string.IsNullOrEmpty(environment(name))) : null;
        if (variable is not null && !HttpProxy.TryParse(environment(variable)!, out proxy, out string? fault))
        {
            ignored = $"{variable} is not used: {fault}";
        }

        return proxy?.Except(Array.ConvertAll(ExceptionVariables, name => environment(name)).FirstOrDefault(list => !string.IsNullOrEmpty(list)));
    }
}
