using System.Security.Cryptography.X509Certificates;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// The newest revocation list this node has seen, from a server or a peer; kept in the state directory, so that an agent that
/// restarts without any server still knows whom not to let in. Any thread.
/// </summary>
internal sealed class Revocations
{
    private readonly Lock gate = new(); // Of two lists that come at once the newer one stays.
    private readonly string path;
    private readonly X509Certificate2 ca;
    private readonly ILogger log;
    private RevocationList list = RevocationList.Empty;

    private Revocations(string path, X509Certificate2 ca, ILogger log)
    {
        this.path = path;
        this.ca = ca;
        this.log = log;
    }

    public RevocationList Current => Volatile.Read(ref list);

    public static Revocations Load(string stateDirectory, X509Certificate2 ca, ILogger log)
    {
        Revocations found = new(Path.Combine(stateDirectory, "revocations"), ca, log);
        try
        {
            if (StateFiles.TryRead(found.path) is { } stored)
            {
                found.list = RevocationList.TryVerify(stored, ca) ?? found.list;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            TunnelLog.FileFailed(log, found.path, fault.Message);
        }

        return found;
    }

    /// <summary>Takes a list that is newer than ours.</summary>
    /// <param name="signed">Not verified yet.</param>
    /// <param name="source">Who sent it, for the log.</param>
    /// <returns>Whether it was taken.</returns>
    public bool TryTake(byte[] signed, string source)
    {
        if (RevocationList.TryVerify(signed, ca) is not { } next)
        {
            TunnelLog.RevocationsRefused(log, source);
            return false;
        }

        lock (gate)
        {
            if (next.Number <= list.Number)
            {
                return false;
            }

            Volatile.Write(ref list, next);
        }

        TunnelLog.RevocationsTaken(log, next.Number, next.Count, source);
        return true;
    }

    public void Save()
    {
        try
        {
            StateFiles.Replace(path, Current.Signed);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            TunnelLog.FileFailed(log, path, fault.Message);
        }
    }
}
