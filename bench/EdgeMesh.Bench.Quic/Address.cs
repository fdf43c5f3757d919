using System.Net;

namespace EdgeMesh.Bench.Quic;

internal static class Address
{
    public static IPEndPoint Parse(string text) => IPEndPoint.Parse(text);
}
