namespace EdgeMesh.Dns;

/// <summary>How many connections each client has open: one pod that keeps all it can must not shut the others out.</summary>
internal sealed class ClientShare(int most)
{
    // Guards the count of each client that has any.
    private readonly Lock gate = new();
    private readonly Dictionary<DnsAddress, int> open = [];

    /// <summary>False if this client has its share; else <see cref="Leave"/> is to be called once.</summary>
    public bool TryEnter(DnsAddress client)
    {
        lock (gate)
        {
            int count = open.GetValueOrDefault(client);
            if (count >= most)
            {
                return false;
            }

            open[client] = count + 1;
            return true;
        }
    }

    public void Leave(DnsAddress client)
    {
        lock (gate)
        {
            if (--open[client] == 0)
            {
                open.Remove(client);
            }
        }
    }
}
