namespace EdgeMesh.App.Ops;

/// <summary>Answer to one GET.</summary>
internal readonly record struct HttpAnswer(int Status, string ContentType, string Body)
{
    private const string Plain = "text/plain; charset=utf-8";

    public static HttpAnswer Ok(string body) => new(200, Plain, body);

    public static HttpAnswer Error(int status, string body) => new(status, Plain, body);
}
