using EdgeMesh.Bench.Quic;

// One process per role, as in the product: the numbers are CPU seconds of the two agents' stand-ins, not of the load.
return args switch
{
    ["target", string listen] => Target.Run(Address.Parse(listen)),
    ["far", string directory, string udp, string target] => Agent.RunFar(directory, Address.Parse(udp), Address.Parse(target)),
    ["near", string directory, string udp, string far, string listen] =>
        Agent.RunNear(directory, Address.Parse(udp), Address.Parse(far), Address.Parse(listen)),
    ["requests", string to, string count, string parallel] => Load.Requests(Address.Parse(to), int.Parse(count, System.Globalization.CultureInfo.InvariantCulture), int.Parse(parallel, System.Globalization.CultureInfo.InvariantCulture)),
    ["bulk", string to, string megabytes, string streams] => Load.Bulk(Address.Parse(to), int.Parse(megabytes, System.Globalization.CultureInfo.InvariantCulture), int.Parse(streams, System.Globalization.CultureInfo.InvariantCulture)),
    ["idle", string count] => Idle.Run(int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    ["run", .. string[] rest] => Scenario.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("edgemesh-bench-quic run [--near-ns NAME --far-ns NAME --far-ip IP] [--mb N] [--requests N] [--rounds N] [--mtu N] [--grain-us N] [--cc NAME]");
    return 2;
}
