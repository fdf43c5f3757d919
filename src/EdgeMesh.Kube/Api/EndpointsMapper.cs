namespace EdgeMesh.Kube;

/// <summary>
/// A <c>core/v1</c> Endpoints object as the slices the API's own mirror would make of it: one for each subset. Kubernetes before
/// 1.21 has nothing else.
/// </summary>
internal static class EndpointsMapper
{
    private const string ServiceLabel = "kubernetes.io/service-name";

    public static IEnumerable<Datum> ToSlices(Datum endpoints)
    {
        string name = endpoints["metadata"]["name"].Text;
        string space = endpoints["metadata"]["namespace"].Text;
        int number = 0;
        foreach (Datum subset in endpoints["subsets"].Items)
        {
            foreach (bool isV6 in (bool[])[false, true])
            {
                List<Datum> found = [];
                Add(found, subset["addresses"], isReady: true, isV6);
                Add(found, subset["notReadyAddresses"], isReady: false, isV6);
                if (found.Count > 0)
                {
                    yield return Map(
                        ("metadata", Map(
                            ("name", Text(number == 0 ? name : $"{name}.{number}")), ("namespace", Text(space)), ("labels", Map((ServiceLabel, Text(name)))))),
                        ("addressType", Text(isV6 ? "IPv6" : "IPv4")),
                        ("ports", subset["ports"]),
                        ("endpoints", Datum.List(0, found)));
                    number++;
                }
            }
        }
    }

    private static void Add(List<Datum> to, Datum addresses, bool isReady, bool isV6)
    {
        foreach (Datum address in addresses.Items)
        {
            if (address["ip"].Text.Contains(':', StringComparison.Ordinal) == isV6)
            {
                to.Add(Map(
                    ("addresses", Datum.List(0, [address["ip"]])),
                    ("nodeName", address["nodeName"]),
                    ("hostname", address["hostname"]),
                    ("targetRef", address["targetRef"]),
                    ("conditions", Map(("ready", Datum.Scalar(DatumKind.Bool, 0, isReady ? "true" : "false")), ("serving", Datum.Scalar(DatumKind.Bool, 0, isReady ? "true" : "false"))))));
            }
        }
    }

    private static Datum Text(string text) => Datum.Scalar(DatumKind.String, 0, text);

    private static Datum Map(params (string Name, Datum Value)[] fields) =>
        Datum.Map(0, [.. fields.Where(field => field.Value.Kind != DatumKind.Null).Select(field => new DatumField(field.Name, field.Value))]);
}
