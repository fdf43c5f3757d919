using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Xml;

namespace EdgeMesh.Tunnel.PortMap;

/// <summary>
/// UPnP Internet Gateway Device: found by SSDP, asked by SOAP (UPnP Device Architecture 1.1; WANIPConnection 1 and 2). Only
/// the gateway itself is believed, and nothing longer than 64 kB is read from it.
/// </summary>
internal sealed class Upnp(Gateway gateway, int? mark)
{
    private const int SsdpPort = 1900;
    private const int MaxAnswer = 64 * 1024;
    private const int ConflictInMapping = 718;
    private const int OnlyPermanentLeases = 725;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // Asked straight at the gateway: a multicast would ask every television of the house too.
    private static readonly byte[] Search = Encoding.ASCII.GetBytes(
        "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n");

    /// <returns>Null if there is no such gateway or it refuses.</returns>
    public async Task<PortMapping?> MapAsync(ushort port, TimeSpan lifetime, CancellationToken stop)
    {
        using HttpClient http = Client();
        if (await FindServiceAsync(http, stop).ConfigureAwait(false) is not { } service)
        {
            return null;
        }

        Dictionary<string, string> told = await CallAsync(http, service, "GetExternalIPAddress", "", stop).ConfigureAwait(false);
        if (!IPAddress.TryParse(told.GetValueOrDefault("NewExternalIPAddress"), out IPAddress? address))
        {
            return null;
        }

        ushort external = port;
        for (int attempt = 0; attempt < 4; attempt++)
        {
            string body = string.Create(CultureInfo.InvariantCulture, $"""
                <NewRemoteHost></NewRemoteHost><NewExternalPort>{external}</NewExternalPort><NewProtocol>UDP</NewProtocol><NewInternalPort>{port}</NewInternalPort><NewInternalClient>{gateway.Own}</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>EdgeMesh</NewPortMappingDescription><NewLeaseDuration>{(int)lifetime.TotalSeconds}</NewLeaseDuration>
                """);
            Dictionary<string, string> answer = await CallAsync(http, service, "AddPortMapping", body, stop).ConfigureAwait(false);
            switch (Number(answer.GetValueOrDefault("errorCode")))
            {
                case 0:
                    return new PortMapping("UPnP", new IPEndPoint(address, external), lifetime);
                case ConflictInMapping:
                    external = (ushort)Random.Shared.Next(20_000, 60_000);
                    break;
                case OnlyPermanentLeases:
                    lifetime = TimeSpan.Zero;
                    break;
                default:
                    return null;
            }
        }

        return null;
    }

    public async Task UnmapAsync(ushort external, CancellationToken stop)
    {
        using HttpClient http = Client();
        if (await FindServiceAsync(http, stop).ConfigureAwait(false) is { } service)
        {
            await CallAsync(http, service, "DeletePortMapping", string.Create(CultureInfo.InvariantCulture,
                $"<NewRemoteHost></NewRemoteHost><NewExternalPort>{external}</NewExternalPort><NewProtocol>UDP</NewProtocol>"), stop).ConfigureAwait(false);
        }
    }

    /// <summary>The LOCATION of an SSDP answer, if it lies on the gateway.</summary>
    internal static Uri? LocationOf(string answer, IPAddress gateway)
    {
        foreach (string line in answer.Split('\n'))
        {
            if (line.StartsWith("LOCATION:", StringComparison.OrdinalIgnoreCase)
                && Uri.TryCreate(line[9..].Trim(), UriKind.Absolute, out Uri? location)
                && location.Scheme == Uri.UriSchemeHttp && IPAddress.TryParse(location.Host, out IPAddress? host) && host.Equals(gateway))
            {
                return location;
            }
        }

        return null;
    }

    /// <summary>Type and control URL of the service that maps ports, from a device description.</summary>
    internal static (string Type, Uri Control)? ServiceOf(string description, Uri location, IPAddress gateway)
    {
        string type = "";
        foreach ((string name, string value) in Elements(description))
        {
            if (name == "serviceType")
            {
                type = value;
            }
            else if (name == "controlURL"
                && (type.Contains(":WANIPConnection:", StringComparison.Ordinal) || type.Contains(":WANPPPConnection:", StringComparison.Ordinal))
                && Uri.TryCreate(location, value, out Uri? control) && IPAddress.TryParse(control.Host, out IPAddress? host) && host.Equals(gateway))
            {
                return (type, control);
            }
        }

        return null;
    }

    private static IEnumerable<(string Name, string Value)> Elements(string xml)
    {
        using XmlReader reader = XmlReader.Create(
            new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxAnswer });
        string name = "";
        while (Next(reader))
        {
            if (reader.NodeType == XmlNodeType.Element)
            {
                name = reader.LocalName;
            }
            else if (reader.NodeType == XmlNodeType.Text)
            {
                yield return (name, reader.Value.Trim());
            }
        }
    }

    // What is no XML ends where it breaks.
    private static bool Next(XmlReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (XmlException)
        {
            return false;
        }
    }

    private static int Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : 0;

    private HttpClient Client() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        ConnectCallback = async (context, stop) => new NetworkStream(
            await Identity.MarkedSocket.ConnectAsync(new IPEndPoint(gateway.Address, context.DnsEndPoint.Port), mark, stop).ConfigureAwait(false), ownsSocket: true),
    })
    {
        Timeout = Patience,
        MaxResponseContentBufferSize = MaxAnswer,
    };

    private async Task<(string Type, Uri Control)?> FindServiceAsync(HttpClient http, CancellationToken stop)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        byte[] answer = new byte[2048];
        int length = await UdpQuestion.AskAsync(
            socket, new IPEndPoint(gateway.Address, SsdpPort), mark, Search, answer, (text, _) => LocationOf(Encoding.ASCII.GetString(text), gateway.Address) is not null, stop).ConfigureAwait(false);
        return length > 0 && LocationOf(Encoding.ASCII.GetString(answer, 0, length), gateway.Address) is { } location
            ? ServiceOf(await http.GetStringAsync(location, stop).ConfigureAwait(false), location, gateway.Address)
            : null;
    }

    private static async Task<Dictionary<string, string>> CallAsync(
        HttpClient http, (string Type, Uri Control) service, string action, string arguments, CancellationToken stop)
    {
        string envelope = $"""
            <?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:{action} xmlns:u="{service.Type}">{arguments}</u:{action}></s:Body></s:Envelope>
            """;
        using HttpRequestMessage request = new(HttpMethod.Post, service.Control) { Content = new StringContent(envelope, Encoding.UTF8, "text/xml") };
        request.Headers.TryAddWithoutValidation("SOAPAction", $"\"{service.Type}#{action}\"");
        using HttpResponseMessage response = await http.SendAsync(request, stop).ConfigureAwait(false);
        Dictionary<string, string> values = [];
        foreach ((string name, string value) in Elements(await response.Content.ReadAsStringAsync(stop).ConfigureAwait(false)))
        {
            values[name] = value;
        }

        if (!response.IsSuccessStatusCode)
        {
            values.TryAdd("errorCode", ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
        }

        return values;
    }
}
