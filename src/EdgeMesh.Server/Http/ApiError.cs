using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Http;

/// <summary>What a refused request is told: <c>{"code","message"}</c> as docs/protocol.md lists them.</summary>
internal sealed record ApiError(int Status, string Code, string Message)
{
    public static readonly ApiError TokenUnknown =
        new(401, ErrorCodes.TokenUnknown, "this token is not known here; make one with 'edgemesh token create' on the server");

    public static readonly ApiError TokenExpired =
        new(401, ErrorCodes.TokenExpired, "this token has expired; make one with 'edgemesh token create' on the server");

    public static readonly ApiError TokenUsedUp =
        new(401, ErrorCodes.TokenUsedUp, "this token has been used as often as it may be; make one with 'edgemesh token create' on the server");

    public static readonly ApiError TokenForServer =
        new(403, ErrorCodes.TokenOtherNode, "this token is for a server that joins; make one for the node with 'edgemesh token create' on the server");

    public static readonly ApiError TokenForNode =
        new(403, ErrorCodes.TokenOtherNode, "this token is for nodes; make one with 'edgemesh token create --for-server' on the first server");

    public static readonly ApiError ServerRevoked =
        new(403, ErrorCodes.Revoked, "this server is not (or no longer) one of this mesh; join anew with another --state-dir and a token of 'edgemesh token create --for-server'");

    public static readonly ApiError CertificateRequired =
        new(401, "certificate-required", "this request needs the node's certificate; enrol first");

    public static readonly ApiError CertificateExpired =
        new(401, "certificate-expired", "this certificate ended more than 30 days ago; enrol again with a token");

    public static readonly ApiError SlowDown = new(429, ErrorCodes.SlowDown, "too many enrolments from this address; try again in a minute");

    public static readonly ApiError Full =
        new(503, ErrorCodes.Full, "this server has as many agents as its --relay.maxAgents; raise that, or use another server of the mesh");

    public static readonly ApiError NotFound = new(404, "not-found", "there is POST /v1/enroll, POST /v1/renew and GET /v1/connect, and for servers POST /v1/join, POST /v1/join/renew and POST /v1/registry");

    public static ApiError BadRequest(string message) => new(400, ErrorCodes.BadRequest, message);

    public static ApiError TokenOtherNode(string node) => new(403, ErrorCodes.TokenOtherNode, $"this token is for another node than '{node}'");

    public static ApiError Revoked(NodeName node) => new(403, ErrorCodes.Revoked,
        $"node '{node}' or its key has been revoked; 'edgemesh node forget {node}' on the server frees the name for a new key");

    public static ApiError Forgotten(NodeName node) => new(403, ErrorCodes.Revoked,
        $"node '{node}' is not registered with this certificate (any more); enrol again with a token");

    public static ApiError NameTaken(NodeName node) => new(409, ErrorCodes.NameTaken,
        $"node '{node}' is enrolled with another key; if that node is gone or was set up anew, run 'edgemesh node forget {node}' on the server");

    public static ApiError AddressTaken(NodeName node, string holder) => new(409, ErrorCodes.NameTaken,
        $"node name '{node}' has the same mesh address as '{holder}'; rename one of them ('edgemesh node forget {holder}' frees the address)");

    /// <summary>The message is the address of the server that issues certificates.</summary>
    public static ApiError Elsewhere(string first) => new(421, ErrorCodes.Elsewhere, first);

    public static ApiError Failed(string message) => new(500, "failed", message);
}
