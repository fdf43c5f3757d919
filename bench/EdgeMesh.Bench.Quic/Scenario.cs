using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeMesh.Bench.Quic;

/// <summary>Starts the roles, loads them, and prints Gbit/s and CPU seconds per GB of both agents together.</summary>
internal static class Scenario
{
    private static readonly int Port = 21000 + (Environment.ProcessId % 1000 * 10);

    public static int Run(string[] args)
    {
        Dictionary<string, string> options = [];
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            options[args[i].TrimStart('-')] = args[i + 1];
        }

        string Option(string name, string or) => options.GetValueOrDefault(name, or);
        int megabytes = int.Parse(Option("mb", "1500"), CultureInfo.InvariantCulture);
        int requests = int.Parse(Option("requests", "10000"), CultureInfo.InvariantCulture);
        int rounds = int.Parse(Option("rounds", "3"), CultureInfo.InvariantCulture);
        string farIp = Option("far-ip", "127.0.0.1");
        string? nearNs = options.GetValueOrDefault("near-ns");
        string? farNs = options.GetValueOrDefault("far-ns");
        Environment.SetEnvironmentVariable("BENCH_GRAIN_US", Option("grain-us", ""));
        Environment.SetEnvironmentVariable("BENCH_CC", Option("cc", ""));
        Environment.SetEnvironmentVariable("BENCH_MTU", Option("mtu", ""));

        string directory = Directory.CreateTempSubdirectory("quic-bench-").FullName;
        try
        {
            WriteCertificates(directory);
            for (int round = 0; round < rounds; round++)
            {
                Round(directory, nearNs, farNs, farIp, megabytes, requests);
            }
        }
        finally
        {
            Directory.Delete(directory, true);
        }

        return 0;
    }

    private static void Round(string directory, string? nearNs, string? farNs, string farIp, int megabytes, int requests)
    {
        string target = $"127.0.0.1:{Port}";
        string listen = $"127.0.0.1:{Port + 1}";
        string udp = $"{farIp}:{Port + 2}";
        using Role pod = new(farNs, "target", target);
        using Role far = new(farNs, "far", directory, udp, target);
        using Role near = new(nearNs, "near", directory, "0.0.0.0:0", udp, listen);
        Bulk("fresh", near, far, nearNs, listen, megabytes, 1);
        if (requests > 0)
        {
            double cpu = near.Cpu + far.Cpu;
            string rate = Role.Ask(nearNs, "requests", listen, requests.ToString(CultureInfo.InvariantCulture), "1");
            Console.WriteLine($"{requests} requests, one at a time: {rate}/s, {(near.Cpu + far.Cpu - cpu) * 1e6 / requests:F0} us CPU each");
        }

        Bulk("after requests", near, far, nearNs, listen, megabytes, 1);
        Bulk("again", near, far, nearNs, listen, megabytes, 1);
        Bulk("8 streams", near, far, nearNs, listen, megabytes, 8);
        if (requests > 0)
        {
            double cpu = near.Cpu + far.Cpu;
            string rate = Role.Ask(nearNs, "requests", listen, requests.ToString(CultureInfo.InvariantCulture), "32");
            Console.WriteLine($"{requests} requests, 32 at a time: {rate}/s, {(near.Cpu + far.Cpu - cpu) * 1e6 / requests:F0} us CPU each");
        }

        // A connection that has carried nothing but small requests: the window was never open.
        using Role pinned = new(nearNs, "near", directory, "0.0.0.0:0", udp, $"127.0.0.1:{Port + 3}");
        if (requests > 0)
        {
            Role.Ask(nearNs, "requests", $"127.0.0.1:{Port + 3}", requests.ToString(CultureInfo.InvariantCulture), "1");
            Console.WriteLine("   " + pinned.Question());
        }

        Bulk("after requests only", pinned, far, nearNs, $"127.0.0.1:{Port + 3}", megabytes, 1);
        Console.WriteLine($"resident: near {near.ResidentMegabytes} MB, far {far.ResidentMegabytes} MB");
    }

    private static void Bulk(string name, Role near, Role far, string? ns, string listen, int megabytes, int streams)
    {
        double nearCpu = near.Cpu;
        double farCpu = far.Cpu;
        string rate = Role.Ask(
            ns, "bulk", listen, megabytes.ToString(CultureInfo.InvariantCulture), streams.ToString(CultureInfo.InvariantCulture));
        double n = (near.Cpu - nearCpu) * 1000 / megabytes;
        double f = (far.Cpu - farCpu) * 1000 / megabytes;
        Console.WriteLine($"{name}: {rate} Gbit/s, CPU s/GB near {n:F2} + far {f:F2} = {n + f:F2}   [{near.Question()}]");
    }

    public static void WriteCertificates(string directory)
    {
        using ECDsa caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=bench", caKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 ca = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest nodeRequest = new("CN=node", key, HashAlgorithmName.SHA256);
        using X509Certificate2 node = nodeRequest.Create(ca, ca.NotBefore, ca.NotAfter, [1]);
        File.WriteAllText(Path.Combine(directory, "ca.pem"), ca.ExportCertificatePem());
        File.WriteAllText(Path.Combine(directory, "node.pem"), node.ExportCertificatePem());
        File.WriteAllText(Path.Combine(directory, "node.key"), key.ExportPkcs8PrivateKeyPem());
    }

    private sealed class Role : IDisposable
    {
        private readonly Process process;

        public Role(string? ns, params string[] args)
        {
            process = Start(ns, args);
            if (process.StandardOutput.ReadLine() != "ready")
            {
                throw new InvalidOperationException($"{args[0]} did not start");
            }
        }

        /// <summary>CPU seconds so far.</summary>
        public double Cpu
        {
            get
            {
                string[] fields = File.ReadAllText($"/proc/{process.Id}/stat").Split(") ")[1].Split(' ');
                return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
            }
        }

        public long ResidentMegabytes
        {
            get
            {
                process.Refresh();
                return process.WorkingSet64 >> 20;
            }
        }

        public static string Ask(string? ns, params string[] args)
        {
            using Process process = Start(ns, args);
            string answer = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? answer : throw new InvalidOperationException($"{args[0]} failed");
        }

        public string Question()
        {
            process.StandardInput.WriteLine();
            return process.StandardOutput.ReadLine() ?? "";
        }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        private static Process Start(string? ns, string[] args)
        {
            // "ip netns exec" becomes the program itself, so the process id is the role's.
            List<string> command = ns is null ? [] : ["ip", "netns", "exec", ns];
            command.Add(Environment.ProcessPath!);
            command.AddRange(args);
            ProcessStartInfo info = new(command[0]) { RedirectStandardOutput = true, RedirectStandardInput = true };
            foreach (string argument in command.Skip(1))
            {
                info.ArgumentList.Add(argument);
            }

            return Process.Start(info)!;
        }
    }
}
