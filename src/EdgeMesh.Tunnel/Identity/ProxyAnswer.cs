using System.Globalization;
using System.Text;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// The head of an HTTP/1.x response to CONNECT (RFC 9112 section 4, RFC 9110 section 9.3.6): any 2xx opens the tunnel, with nothing
/// of the response behind the empty line.
/// </summary>
/// <param name="Status">Three digits.</param>
/// <param name="Reason">The phrase behind it; printable ASCII.</param>
/// <param name="Schemes">How a 407 can be answered: the first words of Proxy-Authenticate.</param>
internal sealed record ProxyAnswer(int Status, string Reason, IReadOnlyList<string> Schemes)
{
    /// <summary>Proxies that refuse send a page behind the head; the head itself is short.</summary>
    public const int MaxHead = 8 * 1024;

    private const string Challenge = "Proxy-Authenticate:";

    public bool IsOpen => Status is >= 200 and < 300;

    /// <summary>Such as 103: the answer proper follows.</summary>
    public bool IsInterim => Status is >= 100 and < 200;

    /// <param name="bytes">What has come so far.</param>
    /// <param name="length">Of the head, its empty line included; 0 while it is not complete.</param>
    /// <param name="answer">Null if it is not complete or not HTTP.</param>
    /// <returns>False: this is no HTTP.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out int length, out ProxyAnswer? answer)
    {
        answer = null;
        length = 0;
        ReadOnlySpan<byte> version = "HTTP/1."u8;
        if (!bytes[..Math.Min(bytes.Length, version.Length)].SequenceEqual(version[..Math.Min(bytes.Length, version.Length)]))
        {
            return false;
        }

        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return bytes.Length < MaxHead;
        }

        string[] lines = Encoding.Latin1.GetString(bytes[..end]).Split("\r\n");
        string[] words = lines[0].Split(' ', 3);
        if (words.Length < 2 || words[1].Length != 3 || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int status) || status < 100)
        {
            return false;
        }

        length = end + 4;
        answer = new ProxyAnswer(
            status,
            words.Length < 3 ? "" : new string([.. words[2].Where(c => c is >= ' ' and <= '~').Take(80)]),
            [.. lines.Where(line => line.StartsWith(Challenge, StringComparison.OrdinalIgnoreCase)).Select(SchemeOf).Where(scheme => scheme.Length > 0).Distinct()]);
        return true;
    }

    private static string SchemeOf(string line) =>
        new([.. line.AsSpan(Challenge.Length).Trim().ToString().TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_').Take(20)]);
}
