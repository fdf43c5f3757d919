using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Dns;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>The Services the DNS tests ask for.</summary>
internal static class TestPark
{
    public static void Publish(SnapshotCell cell, bool synced = true)
    {
        MeshUpdate update = new(cell.Current);
        update.Set(ClusterIP("default", "video", ["10.96.0.10"], ("http", TransportProtocol.Tcp, 80), ("rtp", TransportProtocol.Udp, 5004)));
        update.Set(ClusterIP("shop", "parking", ["10.96.0.11", "fd00::11"], ("", TransportProtocol.Tcp, 80)));
        update.Set(Headless("default", "db", ("sql", TransportProtocol.Tcp, 5432)));
        update.Set(Slice("default", "db", "a", ("sql", 15432), ("172.17.0.2", "db-0", true), ("172.17.0.3", null, true), ("172.17.0.4", "db-2", false)));
        update.Set(Slice("default", "db", "b", ("sql", 15432), ("172.17.0.3", null, true)));
        update.Set(Headless("default", "empty", ("sql", TransportProtocol.Tcp, 5432)));
        update.Set(Slice("default", "empty", "a", ("sql", 5432), ("172.17.0.9", null, false)));
        update.Set(Headless("default", "early", ("sql", TransportProtocol.Tcp, 5432)) with { PublishNotReadyAddresses = true });
        update.Set(Slice("default", "early", "a", ("sql", 5432), ("172.17.0.8", null, false)));
        update.Set(External("default", "away", "www.example.test"));
        update.Set(External("default", "inside", "video.default.svc.cluster.local"));
        update.Set(External("default", "ring", "ring.default.svc.cluster.local"));
        update.Set(External("default", "broken", "no..name"));
        if (synced)
        {
            update.MarkSynced();
        }

        cell.Publish(update);
    }

    public static Service ClusterIP(
        string space, string name, string[] addresses, params (string Name, TransportProtocol Protocol, ushort Port)[] ports) => new()
        {
            Name = new ServiceName(space, name),
            ClusterIPs = [.. addresses.Select(IPAddress.Parse)],
            Ports = [.. ports.Select(port => new ServicePort(port.Name, port.Protocol, port.Port))],
        };

    public static Service Headless(string space, string name, params (string Name, TransportProtocol Protocol, ushort Port)[] ports) =>
        ClusterIP(space, name, [], ports) with { IsHeadless = true };

    public static Service External(string space, string name, string target) => new()
    {
        Name = new ServiceName(space, name),
        Type = ServiceType.ExternalName,
        ExternalName = target,
    };

    public static EndpointSlice Slice(
        string space, string service, string key, (string Name, ushort Port) port, params (string Address, string? Hostname, bool Ready)[] endpoints) => new()
        {
            Key = $"{space}/{service}-{key}",
            Service = new ServiceName(space, service),
            Family = AddressFamily.InterNetwork,
            Ports = [new EndpointPort(port.Name, TransportProtocol.Tcp, port.Port)],
            Endpoints = [.. endpoints.Select(endpoint => new Endpoint
        {
            Address = IPAddress.Parse(endpoint.Address),
            Hostname = endpoint.Hostname,
            IsReady = endpoint.Ready,
        })],
        };

    /// <summary>A core over the park, for tests without sockets.</summary>
    public static async Task<DnsCore> CoreAsync(AnswerCache? cache = null, Action<MeshUpdate>? more = null)
    {
        SnapshotCell cell = new();
        Publish(cell);
        if (more is not null)
        {
            MeshUpdate update = new(cell.Current);
            more(update);
            cell.Publish(update);
        }

        using SnapshotSubscription subscription = cell.Subscribe();
        ServiceIndex index = new();
        index.Apply(await subscription.NextAsync(CancellationToken.None));
        ClusterZones zones = new(new ClusterZone(index, "cluster.local", ["cluster.local.service"], [IPAddress.Loopback], 5));
        return new DnsCore(zones, cache ?? new AnswerCache(1 << 20, TimeSpan.FromHours(1)));
    }

    /// <summary>A query in its plainest form; with a payload size it carries an OPT record.</summary>
    public static byte[] Query(string name, ushort type, ushort id = 0x1234, ushort? payload = null)
    {
        List<byte> query = [(byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, payload is null ? (byte)0 : (byte)1];
        foreach (string label in name.TrimEnd('.').Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            query.Add((byte)label.Length);
            query.AddRange(label.Select(c => (byte)c));
        }

        query.AddRange([0, (byte)(type >> 8), (byte)type, 0, 1]);
        if (payload is { } size)
        {
            query.AddRange([0, 0, 41, (byte)(size >> 8), (byte)size, 0, 0, 0, 0, 0, 0]);
        }

        return [.. query];
    }

    /// <summary>An upstream's answer to a query: the question repeated, then A records.</summary>
    public static byte[] Answer(byte[] query, uint ttl, params string[] addresses)
    {
        int end = QuestionEnd(query);
        List<byte> answer = [query[0], query[1], 0x81, 0x80, 0, 1, (byte)(addresses.Length >> 8), (byte)addresses.Length, 0, 0, 0, 0];
        answer.AddRange(query[12..end]);
        foreach (string address in addresses)
        {
            answer.AddRange([0xc0, 12, 0, 1, 0, 1, (byte)(ttl >> 24), (byte)(ttl >> 16), (byte)(ttl >> 8), (byte)ttl, 0, 4]);
            answer.AddRange(IPAddress.Parse(address).GetAddressBytes());
        }

        return [.. answer];
    }

    public static byte[] Missing(byte[] query, uint ttl, uint minimum)
    {
        int end = QuestionEnd(query);
        List<byte> answer = [query[0], query[1], 0x81, 0x83, 0, 1, 0, 0, 0, 1, 0, 0, .. query[12..end]];
        byte[] numbers = new byte[20];
        BinaryPrimitives.WriteUInt32BigEndian(numbers.AsSpan(16), minimum);
        answer.AddRange([0, 0, 6, 0, 1, 0, 0, (byte)(ttl >> 8), (byte)ttl, 0, 22, 0, 0, .. numbers]);
        return [.. answer];
    }

    public static byte[] Refusal(byte[] query, byte rcode) =>
        [query[0], query[1], 0x81, (byte)(0x80 | rcode), 0, 1, 0, 0, 0, 0, 0, 0, .. query[12..QuestionEnd(query)]];

    public static int Rcode(ReadOnlySpan<byte> answer) => answer[3] & 0xf;

    private static int QuestionEnd(byte[] query)
    {
        int at = 12;
        while (query[at] != 0)
        {
            at += query[at] + 1;
        }

        return at + 5;
    }
}
