namespace EdgeMesh.Dns;

internal enum ZoneResult : byte
{
    /// <summary>Outside our zones: ask upstream.</summary>
    NotMine,

    /// <summary>The name exists and its records are written.</summary>
    Answer,

    /// <summary>The name exists without a record of this type.</summary>
    NoData,

    NameError,

    /// <summary>An alias; its target is the next name to look at.</summary>
    Alias,
    Refused,
    NotReady,
}
