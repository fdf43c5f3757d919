using System.Runtime.InteropServices;

namespace EdgeMesh.Quic.Native;

/// <summary>
/// With what an endpoint seals its session tickets: random, in memory only, so that a restart of the process ends them all. GnuTLS
/// derives a new key from it every few hours.
/// </summary>
internal sealed unsafe class TicketKey : SafeHandle
{
    private readonly GnuTlsDatum datum;

    public TicketKey()
        : base(0, ownsHandle: true)
    {
        GnuTlsDatum made;
        int result = GnuTls.gnutls_session_ticket_key_generate(&made);
        if (result < 0)
        {
            throw new InvalidOperationException($"GnuTLS ticket key: {GnuTls.Describe(result)}");
        }

        datum = made;
        SetHandle((nint)made.Data);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>For GnuTLS, which copies it.</summary>
    public GnuTlsDatum Datum => datum;

    protected override bool ReleaseHandle()
    {
        // GnuTLS allocates with malloc(3).
        NativeMemory.Clear(datum.Data, datum.Size);
        NativeMemory.Free(datum.Data);
        return true;
    }
}
