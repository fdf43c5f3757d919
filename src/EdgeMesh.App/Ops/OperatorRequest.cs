namespace EdgeMesh.App.Ops;

/// <summary>One line from an operator verb: what is asked, and about whom.</summary>
internal sealed record OperatorRequest(string Verb, string? Subject = null, int Count = 0);
