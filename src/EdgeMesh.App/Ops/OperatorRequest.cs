namespace EdgeMesh.App.Ops;

/// <summary>One line from an operator verb: what is asked, and about whom.</summary>
/// <param name="Verb">The verb.</param>
/// <param name="Subject">A node or a name.</param>
/// <param name="Count">How many answers are wanted.</param>
/// <param name="UntilDirectSeconds"><c>ping</c>: go on until the path is direct, at most this long; 0 for <paramref name="Count"/> pings.</param>
/// <param name="DryRun"><c>rules</c>: only what would change.</param>
/// <param name="Type"><c>resolve</c>: the number of the record type.</param>
/// <param name="From"><c>explain</c>: the client pod, by name or address.</param>
internal sealed record OperatorRequest(string Verb, string? Subject = null, int Count = 0, int UntilDirectSeconds = 0, string? From = null, bool DryRun = false, ushort Type = 0);
