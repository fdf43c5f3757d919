using System.Runtime.InteropServices;

namespace EdgeMesh.Quic.Native;

/// <summary>gnutls_certificate_credentials_t. Sessions refer to it, so each connection holds a reference while it lives.</summary>
internal sealed class CredentialsHandle : SafeHandle
{
    public CredentialsHandle(nint credentials)
        : base(0, true) => SetHandle(credentials);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        GnuTls.gnutls_certificate_free_credentials(handle);
        return true;
    }
}
