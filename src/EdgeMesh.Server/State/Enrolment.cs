using EdgeMesh.Server.Http;

namespace EdgeMesh.Server.State;

/// <summary>Either a certificate (PEM, with the CA's) or the reason why not.</summary>
internal readonly record struct Enrolment(string? Certificate, ApiError? Error)
{
    public static implicit operator Enrolment(ApiError error) => new(null, error);
}
