using System.Text;
using EdgeMesh.Kube;

namespace EdgeMesh.Tests.Unit.Kube.Api;

/// <summary>Lists and watches read as they come, whatever the pieces.</summary>
public class ApiReaderTests
{
    private const string List = """
        {"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":{"name":"a","items":[{"x":1}]}},{"spec":{"s":"}]\"{"}}],"metadata":{"resourceVersion":"42","continue":"tok","selfLink":"/x"}}
        """;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task HandsOverItemAfterItem(int piece)
    {
        List<string> items = [];
        ListHead head = await new ListReader(item => items.Add(Encoding.UTF8.GetString(item))).ReadAsync(new Pieces(List, piece), CancellationToken.None);
        Assert.Equal(["""{"metadata":{"name":"a","items":[{"x":1}]}}""", """{"spec":{"s":"}]\"{"}}"""], items);
        Assert.Equal(new ListHead(true, "42", "tok", "/x"), head);
    }

    [Theory]
    [InlineData("""{"kind":"ServiceList","items":[]}""")]
    [InlineData("""{"kind":"ServiceList","items":null}""")]
    public async Task KnowsAListWithoutMetadata(string text) =>
        Assert.False((await new ListReader(_ => { }).ReadAsync(new Pieces(text, 5), CancellationToken.None)).HasMetadata);

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("""{"items":[{"metadata":""")]
    [InlineData("""{"items":[{"a":1}]""")]
    public async Task ABrokenListIsAFault(string text) => await Assert.ThrowsAsync<ApiException>(
        () => new ListReader(_ => { }).ReadAsync(new Pieces(text, 3), CancellationToken.None));

    [Fact]
    public async Task AnItemBeyondAllBoundsIsAFault()
    {
        string text = "{\"items\":[{\"a\":\"" + new string('x', 20 << 20) + "\"}]}";
        ApiException fault = await Assert.ThrowsAsync<ApiException>(() => new ListReader(_ => { }).ReadAsync(new Pieces(text, 1 << 20), CancellationToken.None));
        Assert.Contains("longer than", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(1000)]
    public async Task ReadsEventsLineByLine(int piece)
    {
        List<string> lines = [];
        int batches = 0;
        await WatchReader.ReadAsync(new Pieces("{\"a\":1}\n\r\n{\"b\":2}\n", piece), line => lines.Add(Encoding.UTF8.GetString(line)), () => batches++, CancellationToken.None);
        Assert.Equal(["{\"a\":1}", "{\"b\":2}"], lines);
        Assert.InRange(batches, 1, 3);
    }

    [Fact]
    public async Task AWatchCutWithinAnEventIsAFault() => await Assert.ThrowsAsync<ApiException>(
        () => WatchReader.ReadAsync(new Pieces("{\"a\":1}\n{\"b\"", 4), _ => { }, () => { }, CancellationToken.None));

    /// <summary>A stream that gives its text in small pieces.</summary>
    private sealed class Pieces(string text, int size) : MemoryStream(Encoding.UTF8.GetBytes(text))
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}
