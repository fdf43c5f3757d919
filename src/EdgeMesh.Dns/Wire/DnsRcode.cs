namespace EdgeMesh.Dns;

/// <summary>Response codes (RFC 1035 section 4.1.1; <see cref="BadVersion"/> is the extended code of RFC 6891).</summary>
internal enum DnsRcode : byte
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
    BadVersion = 16,
}
