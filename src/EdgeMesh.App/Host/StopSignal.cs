using System.Runtime.InteropServices;

namespace EdgeMesh.App.Host;

/// <summary>SIGTERM and SIGINT as a token: the first asks for an orderly stop, the second ends the process at once.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration term;
    private readonly PosixSignalRegistration interrupt;

    public StopSignal()
    {
        term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    }

    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        term.Dispose();
        interrupt.Dispose();
        source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (!source.IsCancellationRequested)
        {
            context.Cancel = true;
            source.Cancel();
        }
    }
}
