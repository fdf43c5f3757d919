namespace EdgeMesh.Dns;

/// <summary>One record of a kept message: where its TTL stands, where it ends, and its section.</summary>
internal readonly record struct RecordMark(ushort Ttl, ushort End, DnsSection Section);
