namespace EdgeMesh.Server;

/// <summary>A server that has joined, as <c>server list</c> shows it.</summary>
/// <param name="Id">First 16 hex digits of its key's SHA-256.</param>
/// <param name="Addresses">How agents reach it, <c>host:port</c>.</param>
/// <param name="JoinedAt">When it first joined.</param>
public sealed record ServerInfo(string Id, IReadOnlyList<string> Addresses, DateTimeOffset JoinedAt);
