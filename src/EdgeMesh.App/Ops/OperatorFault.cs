namespace EdgeMesh.App.Ops;

/// <summary>The last line of an answer that failed; the verb prints the message and exits with the status.</summary>
internal sealed record OperatorFault(OperatorFaultBody Error);

internal sealed record OperatorFaultBody(int Exit, string Message);
