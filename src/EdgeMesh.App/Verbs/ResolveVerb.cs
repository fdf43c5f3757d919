using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using DnsClient;
using EdgeMesh.App.Agent;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary>
/// <c>edgemesh resolve NAME</c>: learns from the agent where its DNS listens, and asks there as a pod would, with somebody
/// else's resolver: the answer it shows is what went over the wire; the steps before it are what the agent says.
/// </summary>
internal static class ResolveVerb
{
    private static readonly Setting Type = Setting.Text("type", "TYPE", "Record type to ask for: A (default), AAAA, SRV, PTR, TXT, CNAME, NS or SOA.");

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public static Command Build()
    {
        Argument<string> name = new("NAME") { Description = "a full name, such as video.default.svc.cluster.local" };
        Option<bool> json = VerbOutput.Json();
        Command command = new("resolve", "Ask the agent's DNS server for a name, as a pod would.") { name, json };
        SettingReader reader = new(command, [AgentSettings.StateDir, Type], hasFile: false);
        command.SetAction(async (result, stop) =>
        {
            SettingValues values = reader.Read(result);
            QueryType type = values.OneOf(
                Type, QueryType.A, ("A", QueryType.A), ("AAAA", QueryType.AAAA), ("SRV", QueryType.SRV), ("PTR", QueryType.PTR),
                ("TXT", QueryType.TXT), ("CNAME", QueryType.CNAME), ("NS", QueryType.NS), ("SOA", QueryType.SOA));
            IPEndPoint server = await FindServerAsync(values, stop).ConfigureAwait(false);
            // The steps first: the question itself brings the answer into the cache.
            string steps = await OperatorVerbs.Client(values).AskOnceAsync(
                new OperatorRequest("resolve", result.GetValue(name), Type: (ushort)type), stop).ConfigureAwait(false);
            ResolveReport report = await AskAsync(server, result.GetValue(name)!, type, stop).ConfigureAwait(false) with
            {
                Steps = JsonSerializer.Deserialize(steps, OpsJson.Default.IReadOnlyListDnsStep)!,
            };
            await result.Output().WriteAsync(result.GetValue(json)
                ? JsonSerializer.Serialize(report, OpsJson.Default.ResolveReport) + "\n"
                : StatusText.Of(report)).ConfigureAwait(false);
            return (int)(report.Answers.Count > 0 ? MeshExit.Done : MeshExit.Failed);
        });
        return command;
    }

    internal static async Task<ResolveReport> AskAsync(IPEndPoint server, string name, QueryType type, CancellationToken stop)
    {
        LookupClient client = new(new LookupClientOptions(server) { UseCache = false, Retries = 1, Timeout = Limit, ThrowDnsErrors = false });
        long began = Stopwatch.GetTimestamp();
        try
        {
            IDnsQueryResponse response = await client.QueryAsync(name, type, QueryClass.IN, stop).ConfigureAwait(false);
            return new ResolveReport(
                name, type.ToString(), server.ToString(), Code(response.Header.ResponseCode),
                [.. response.Answers.Select(a => a.ToString())], Stopwatch.GetElapsedTime(began).TotalMilliseconds, []);
        }
        catch (DnsResponseException e)
        {
            throw new MeshException(MeshExit.Unreachable, $"DNS on {server} gave no answer for {name}: {e.Message}", e);
        }
        catch (ArgumentException e)
        {
            throw new MeshException(MeshExit.Usage, $"'{name}' is no DNS name: {e.Message}", e);
        }
    }

    private static async Task<IPEndPoint> FindServerAsync(SettingValues values, CancellationToken stop)
    {
        string line = await OperatorVerbs.Client(values).AskOnceAsync(new OperatorRequest("status"), stop).ConfigureAwait(false);
        AgentReport agent = JsonSerializer.Deserialize(line, OpsJson.Default.AgentReport)!;
        return agent.Dns?.Listening is [var first, ..]
            ? IPEndPoint.Parse(first)
            : throw new MeshException(MeshExit.Unreachable, $"the agent's DNS does not run yet: {agent.NotReady ?? "it is stopping"}");
    }

    // As dig and the RFCs write them.
    private static string Code(DnsHeaderResponseCode code) => code switch
    {
        DnsHeaderResponseCode.NoError => "NOERROR",
        DnsHeaderResponseCode.FormatError => "FORMERR",
        DnsHeaderResponseCode.ServerFailure => "SERVFAIL",
        DnsHeaderResponseCode.NotExistentDomain => "NXDOMAIN",
        DnsHeaderResponseCode.NotImplemented => "NOTIMP",
        DnsHeaderResponseCode.Refused => "REFUSED",
        _ => code.ToString(),
    };
}
