namespace EdgeMesh.Dns;

internal enum DnsSection : byte
{
    Answer,
    Authority,
    Additional,
}
