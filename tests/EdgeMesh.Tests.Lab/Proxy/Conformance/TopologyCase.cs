namespace EdgeMesh.Tests.Lab.Proxy.Conformance;

/// <summary>
/// One Service and what a client of edge1 (zone-a) is to get from it; edge2 is in zone-a too, edge3 in zone-b.
/// </summary>
/// <param name="Id">As in docs/conformance/proxy.md.</param>
/// <param name="Spec">Lines of the Service's spec, parted by <c>;</c>.</param>
/// <param name="Endpoints">
/// <c>pod1</c>, <c>pod2</c> (both on edge1), <c>edge2</c>, <c>edge3</c>, each with <c>!</c> for not ready, <c>~</c> for terminating and
/// serving, <c>#</c> for not serving, <c>/ab</c> for hints to zones a and b, <c>@12</c> for hints to nodes edge1 and edge2.
/// </param>
/// <param name="From"><c>pod</c>: by clusterIP; <c>outside</c>: another host by node port.</param>
/// <param name="Expected">Who answers, in order of their names; <c>refused</c>; <c>timeout</c> where it is dropped.</param>
public sealed record TopologyCase(string Id, string Spec, string Endpoints, string From, string Expected)
{
    private const string Internal = "internalTrafficPolicy: Local";
    private const string External = "type: NodePort;externalTrafficPolicy: Local";

    public static readonly IReadOnlyList<TopologyCase> All =
    [
        new("zone-hints", "", "pod2/a edge2/a edge3/b", "pod", "edge2 pod2"),
        new("zone-hints-outside", "type: NodePort", "pod2/a edge2/a edge3/b", "outside", "edge2 pod2"),
        new("external-local-ignores-hints", External, "pod1/b pod2/a edge2/a edge3/b", "outside", "pod1 pod2"),
        new("external-local-hints-inside", External, "pod1/b pod2/a edge2/a edge3/b", "pod", "edge2 pod2"),
        new("internal-local-ignores-hints", "type: NodePort;" + Internal, "pod1/b pod2/a edge2/a edge3/b", "pod", "pod1 pod2"),
        new("internal-local-hints-outside", "type: NodePort;" + Internal, "pod1/b pod2/a edge2/a edge3/b", "outside", "edge2 pod2"),
        new("other-zone-only", "", "pod2/b edge3/b", "pod", "edge3 pod2"),
        new("unready-in-zone", "", "pod2/a! edge2/a edge3/b", "pod", "edge2"),
        new("only-unready-in-zone", "", "pod2/a! edge2/b edge3/b", "pod", "edge2 edge3"),
        new("missing-hints", "", "pod2/a edge2 edge3/b", "pod", "edge2 edge3 pod2"),
        new("several-hints", "", "pod2/ab edge2/b edge3/ba", "pod", "edge3 pod2"),
        new("internal-local-empty", Internal, "", "pod", "refused"),
        new("internal-local-all-remote", Internal, "edge2 edge3", "pod", "timeout"),
        new("internal-local-all-local", Internal, "pod1 pod2", "pod", "pod1 pod2"),
        new("internal-local-some-local", Internal, "pod2 edge2", "pod", "pod2"),
        new("cluster-none-ready", "", "pod2! edge2!", "pod", "refused"),
        new("cluster-some-ready", "", "pod2! edge2", "pod", "edge2"),
        new("cluster-all-terminating", "", "pod2~ edge2~", "pod", "edge2 pod2"),
        new("cluster-some-terminating", "", "pod2~ edge2", "pod", "edge2"),
        new("cluster-terminating-not-serving", "", "pod2#~ edge2#~", "pod", "refused"),
        new("il-ec-inside", "type: NodePort;" + Internal, "pod2 edge2", "pod", "pod2"),
        new("il-ec-outside", "type: NodePort;" + Internal, "pod2 edge2", "outside", "edge2 pod2"),
        new("ic-el-inside", External, "pod2 edge2", "pod", "edge2 pod2"),
        new("ic-el-outside", External, "pod2 edge2", "outside", "pod2"),
        new("il-el-inside", External + ";" + Internal, "pod2 edge2", "pod", "pod2"),
        new("il-el-outside", External + ";" + Internal, "pod2 edge2", "outside", "pod2"),
        new("il-el-remote-inside", External + ";" + Internal, "edge2 edge3", "pod", "timeout"),
        new("il-el-remote-outside", External + ";" + Internal, "edge2 edge3", "outside", "timeout"),
        new("il-el-remote-terminating-inside", External + ";" + Internal, "edge2~ edge3~", "pod", "timeout"),
        new("il-el-remote-terminating-outside", External + ";" + Internal, "edge2~ edge3~", "outside", "timeout"),
        new("ic-el-terminating-inside", External, "edge2 pod1#! pod2~ edge3~", "pod", "edge2"),
        new("ic-el-terminating-outside", External, "edge2 pod1#! pod2~ edge3~", "outside", "pod2"),
        new("external-cluster-terminating", "type: NodePort", "pod2~ edge2~", "outside", "edge2 pod2"),
        new("internal-local-terminating", Internal, "pod2~ edge2", "pod", "pod2"),
        new("external-ignored", "externalTrafficPolicy: Local", "edge2 pod2", "pod", "edge2 pod2"),
        new("internal-only", Internal, "edge2 pod2", "pod", "pod2"),
        new("same-zone-none-here", "", "edge3/b", "pod", "edge3"),
        new("same-node", "", "pod2@1 edge2@2 edge3@3", "pod", "pod2"),
        new("same-node-none-here", "", "edge2@2/a edge3@3/b", "pod", "edge2"),
        new("same-node-missing", "", "pod2@1/a edge2/a edge3/b", "pod", "edge2 pod2"),
    ];

    public override string ToString() => Id;
}
