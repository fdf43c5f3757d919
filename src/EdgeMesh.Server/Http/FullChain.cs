using System.Collections.ObjectModel;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

namespace EdgeMesh.Server.Http;

/// <summary>
/// A server certificate that is sent together with its root. The public factory of <see cref="SslStreamCertificateContext"/>
/// always leaves a self-signed root out on Linux, and an agent that enrols knows nothing but the root's fingerprint. The
/// constructor behind the factory takes the chain as it is to be sent; EnrolmentTests fails should a runtime change it.
/// </summary>
internal static class FullChain
{
    public static SslStreamCertificateContext Of(X509Certificate2 leaf, X509Certificate2 root) =>
        New(leaf, new ReadOnlyCollection<X509Certificate2>([root]), null);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern SslStreamCertificateContext New(
        X509Certificate2 target, ReadOnlyCollection<X509Certificate2> intermediates, SslCertificateTrust? trust);
}
