namespace EdgeMesh.Proxy.Balance;

/// <summary>Open connections and flows per endpoint, for those Services that are balanced by it. As large as what is open.</summary>
internal sealed class LoadTable
{
    // Guards open.
    private readonly Lock gate = new();
    private readonly Dictionary<EndpointId, int> open = [];

    public int Of(EndpointId endpoint)
    {
        lock (gate)
        {
            return open.GetValueOrDefault(endpoint);
        }
    }

    /// <summary>One more, until what this gives is disposed.</summary>
    public IDisposable Carry(EndpointId endpoint)
    {
        lock (gate)
        {
            open[endpoint] = open.GetValueOrDefault(endpoint) + 1;
        }

        return new Load(this, endpoint);
    }

    private void Drop(EndpointId endpoint)
    {
        lock (gate)
        {
            int left = open[endpoint] - 1;
            if (left == 0)
            {
                open.Remove(endpoint);
            }
            else
            {
                open[endpoint] = left;
            }
        }
    }

    private sealed class Load(LoadTable table, EndpointId endpoint) : IDisposable
    {
        private int isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref isOver, 1) == 0)
            {
                table.Drop(endpoint);
            }
        }
    }
}
