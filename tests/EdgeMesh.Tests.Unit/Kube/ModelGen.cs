using System.Net;
using System.Net.Sockets;
using CsCheck;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

/// <summary>Random model objects of every shape that the mapper can produce.</summary>
internal static class ModelGen
{
    private static readonly Gen<IPAddress> V4 = Gen.Select(Gen.Byte, Gen.Byte[1, 254]).Select((b, c) => new IPAddress([10, 1, b, c]));

    private static readonly Gen<IPAddress> V6 = Gen.UShort[1, ushort.MaxValue].Select(n => IPAddress.Parse($"fd00::{n:x}"));

    private static readonly Gen<NodeName> NodeNames = Gen.Int[0, 5].Select(n => NodeName.Parse($"edge-{n}.park"));

    private static readonly Gen<string> Zones = Gen.Int[0, 1].Select(n => new[] { "park-a", "park-b" }[n]);

    private static readonly Gen<string?> Text = Gen.Int[0, 3].Select(n => new[] { null, "a", "video-0", "1" }[n]);

    private static readonly Gen<TransportProtocol> Protocols = Gen.Enum<TransportProtocol>();

    private static readonly Gen<IPNetwork> Networks = Gen.Select(Gen.Byte, Gen.Int[0, 24])
        .Select((b, prefix) => Mask([10, b, 0, 0], prefix));

    private static readonly Gen<Endpoint> EndpointsV4 = EndpointOf(V4);

    private static readonly Gen<Endpoint> EndpointsV6 = EndpointOf(V6);

    public static Gen<Service> Services(Gen<ServiceName> names) =>
        from name in names
        from type in Gen.Enum<ServiceType>()
        from shape in Gen.Int[0, 3]
        from v4 in V4
        from v6 in V6
        from ports in Gen.Select(Protocols, Gen.UShort[1, ushort.MaxValue], Gen.UShort).Array[1, 3]
        from flags in Gen.Bool.Array[4]
        from policies in Gen.Select(Gen.Enum<TrafficPolicy>(), Gen.Enum<TrafficPolicy>(), Gen.Enum<TrafficDistribution>())
        from affinity in Gen.Int[0, 86400]
        from external in V4.Array[0, 2]
        from ranges in Networks.Array[0, 2]
        let isExternal = type == ServiceType.ExternalName
        let isHeadless = shape == 0 && type == ServiceType.ClusterIP
        select new Service
        {
            Name = name,
            Uid = flags[0] ? Guid.Empty.ToString() : "",
            Type = type,
            ClusterIPs = isExternal || isHeadless ? [] : shape == 1 ? [v4] : shape == 2 ? [v6] : [v4, v6],
            IsHeadless = isHeadless,
            Ports = [.. ports.Select((p, i) => new ServicePort($"p{i}", p.Item1, p.Item2, p.Item3)).DistinctBy(p => (p.Protocol, p.Port))],
            ExternalName = isExternal ? "camera.example.com" : null,
            PublishNotReadyAddresses = flags[1],
            ClientIPAffinity = affinity % 2 == 1 ? TimeSpan.FromSeconds(affinity) : null,
            InternalTrafficPolicy = policies.Item1,
            ExternalTrafficPolicy = policies.Item2,
            TrafficDistribution = policies.Item3,
            ExternalIPs = [.. external],
            LoadBalancerIngress = type == ServiceType.LoadBalancer ? [.. external.Reverse()] : [],
            LoadBalancerSourceRanges = [.. ranges],
            HealthCheckNodePort = (ushort)(affinity % 65536),
            ServiceProxyName = shape == 3 ? "other" : shape == 2 ? "" : null,
            HasHeadlessLabel = flags[2],
            HasEdgeMeshFilterLabel = flags[3],
        };

    public static Gen<EndpointSlice> Slices(Gen<ServiceName> names) =>
        from service in names
        from number in Gen.Int[0, 9]
        from isV6 in Gen.Bool
        from ports in Gen.Select(Protocols, Gen.UShort[1, ushort.MaxValue], Gen.Bool).Array[0, 3]
        from endpoints in isV6 ? EndpointsV6.Array[0, 4] : EndpointsV4.Array[0, 4]
        select new EndpointSlice
        {
            Key = $"{service.Namespace}/slice-{number}",
            Service = service,
            Family = isV6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork,
            Ports = [.. ports.Select((p, i) => new EndpointPort(i == 0 ? "" : $"p{i}", p.Item1, p.Item3 ? p.Item2 : null))],
            Endpoints = [.. endpoints],
        };

    public static Gen<Node> Nodes() =>
        from name in NodeNames
        from addresses in Gen.OneOf(V4, V6).Array[0, 3]
        from cidrs in Networks.Array[0, 2]
        from zone in Zones
        from isEdge in Gen.Bool
        select new Node
        {
            Name = name,
            Addresses = [.. addresses.Distinct()],
            PodCidrs = [.. cidrs],
            Zone = isEdge ? zone : null,
            IsEdge = isEdge,
        };

    public static Gen<MeshSnapshot> Snapshots()
    {
        Gen<ServiceName> names = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 6]).Select((space, name) => new ServiceName($"ns{space}", $"svc{name}"));
        return Gen.Select(Services(names).Array[0, 6], Slices(names).Array[0, 8], Nodes().Array[0, 4]).Select((services, slices, nodes) =>
        {
            MeshUpdate update = new(MeshSnapshot.Empty);
            update.MarkSynced();
            Array.ForEach(services, update.Set);
            Array.ForEach([.. slices.DistinctBy(slice => slice.Key)], update.Set);
            Array.ForEach(nodes, update.Set);
            return update.ToSnapshot();
        });
    }

    private static Gen<Endpoint> EndpointOf(Gen<IPAddress> addresses) =>
        from address in addresses
        from node in NodeNames
        from hostname in Text
        from pod in Text
        from flags in Gen.Bool.Array[5]
        from zones in Zones.Array[0, 2]
        from nodes in NodeNames.Array[0, 2]
        select new Endpoint
        {
            Address = address,
            Node = flags[0] ? node : null,
            Hostname = hostname,
            IsReady = flags[1],
            IsServing = flags[2],
            IsTerminating = flags[3],
            Zone = flags[4] ? "park-a" : null,
            ZoneHints = [.. zones],
            NodeHints = [.. nodes],
            PodName = pod,
        };

    private static IPNetwork Mask(byte[] address, int prefix)
    {
        uint bits = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(address);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(address, prefix == 0 ? 0 : bits & (uint.MaxValue << (32 - prefix)));
        return new IPNetwork(new IPAddress(address), prefix);
    }
}
