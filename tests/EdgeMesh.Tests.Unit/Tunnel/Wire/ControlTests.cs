using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class ControlTests
{
    private static readonly Guid Boot = new("00112233-4455-6677-8899-aabbccddeeff");

    private static readonly Candidate[] Candidates =
    [
        new(CandidateKind.Interface, WireCase.Address("192.168.1.10:20007")),
        new(CandidateKind.ServerReflexive, WireCase.Address("[2001:db8::2]:4000")),
    ];

    [Fact]
    public void HaveTheirBytes()
    {
        Assert.Equal(
            "003a" + "01" + "01" + WireCase.Hex(Boot.ToByteArray()) + string.Concat(Enumerable.Repeat("07", 32)) + "05" + WireCase.Hex("edge1"u8) + "3e80",
            WireCase.Hex(Hello()));
        Assert.Equal(
            "001e" + "02" + "02" + "01044e27c0a8010a" + "02060fa020010db8000000000000000000000002",
            WireCase.Hex(List()));
        Assert.Equal("000303" + "0007", WireCase.Hex(Bytes(b => ControlMessage.WritePunch(b, 7))));
        Assert.Equal("000304" + "04b0", WireCase.Hex(Bytes(b => ControlMessage.WriteRelayLimit(b, 1200))));
        Assert.Equal("000606" + "02" + "4e27" + "4e28", WireCase.Hex(Bytes(b => ControlMessage.WriteGuess(b, [20007, 20008]))));
        Assert.Equal(
            "000e07" + "01" + "0102030405060708" + "00004e20",
            WireCase.Hex(Bytes(b => ControlMessage.WriteServers(b, [new ServerDistance(0x0102030405060708, 20_000)]))));
        Assert.Equal("000105", WireCase.Hex(Bytes(b => ControlMessage.WriteGoing(b))));
    }

    [Fact]
    public void HelloComesBackAsItWent()
    {
        ReadOnlySpan<byte> stream = Hello();
        Assert.True(ControlMessage.TryTake(ref stream, out ControlType type, out ReadOnlySpan<byte> body));
        Assert.True(stream.IsEmpty);
        Assert.Equal(ControlType.Hello, type);
        Assert.True(ControlHello.TryRead(body, out ControlHello hello));
        Assert.Equal((Boot, "edge1", (ushort)16000), (hello.BootId, hello.Node.Value, hello.RelayLimit));
        Assert.True(hello.ProbeKeyShare.SequenceEqual(Enumerable.Repeat((byte)7, 32).ToArray()));
    }

    [Fact]
    public void CandidatesComeBackAsTheyWent()
    {
        ReadOnlySpan<byte> stream = List();
        Assert.True(ControlMessage.TryTake(ref stream, out _, out ReadOnlySpan<byte> body));
        List<Candidate> read = [];
        Assert.True(ControlCandidates.TryRead(body, read));
        Assert.Equal(Candidates, read);
    }

    [Fact]
    public void ServersComeBackAsTheyWentAndABrokenListIsNone()
    {
        ServerDistance[] servers = [new(7, 1500), new(ulong.MaxValue, uint.MaxValue)];
        byte[] message = Bytes(b => ControlMessage.WriteServers(b, servers));
        List<ServerDistance> read = [];
        Assert.True(ControlMessage.TryReadServers(message.AsSpan(3), read));
        Assert.Equal(servers, read);
        Assert.False(ControlMessage.TryReadServers(message.AsSpan(3, 20), read));
        Assert.False(ControlMessage.TryReadServers([ControlMessage.MaxServers + 1, .. new byte[12 * (ControlMessage.MaxServers + 1)]], read));
    }

    [Fact]
    public void AHundredCandidatesAreNeitherSentNorKept()
    {
        Candidate[] many = [.. Enumerable.Range(0, 100).Select(i => new Candidate(CandidateKind.Interface, WireCase.Address($"10.0.0.{i}:1")))];
        byte[] room = new byte[4096];
        ReadOnlySpan<byte> stream = room.AsSpan(0, ControlCandidates.Write(room, many));
        Assert.True(ControlMessage.TryTake(ref stream, out _, out ReadOnlySpan<byte> body));
        List<Candidate> read = [];
        Assert.True(ControlCandidates.TryRead(body, read));
        Assert.Equal(many[..ControlCandidates.MaxCount], read);
    }

    [Fact]
    public void UnknownTypesCanBeSkipped()
    {
        ReadOnlySpan<byte> stream = [0, 2, 99, 1, 0, 3, 3, 0, 7];
        Assert.True(ControlMessage.TryTake(ref stream, out ControlType unknown, out _));
        Assert.Equal(99, (int)unknown);
        Assert.True(ControlMessage.TryTake(ref stream, out ControlType punch, out ReadOnlySpan<byte> body));
        Assert.Equal(ControlType.Punch, punch);
        Assert.True(ControlMessage.TryReadPunch(body, out ushort round));
        Assert.Equal(7, round);
    }

    [Fact]
    public void KnowTheirLengths()
    {
        WireCase.RefusesEveryPrefix(Hello(), m => ControlMessage.TryTake(ref m, out _, out ReadOnlySpan<byte> body) && ControlHello.TryRead(body, out _));
        WireCase.RefusesEveryPrefix(Hello()[3..], m => ControlHello.TryRead(m, out _));
        WireCase.RefusesEveryPrefix(List()[3..], m => ControlCandidates.TryRead(m, []));
        WireCase.NeverWritesPastItsTarget(Hello().Length, (room, size) => WriteHello(room.AsSpan(0, size)));
        WireCase.NeverWritesPastItsTarget(List().Length, (room, size) => ControlCandidates.Write(room.AsSpan(0, size), Candidates));
        Assert.True(ControlMessage.IsBroken([0, 0]));
        Assert.True(ControlMessage.IsBroken([0xFF, 0xFF]));
        Assert.False(ControlMessage.IsBroken([0]));
    }

    [Fact]
    public void MutatedBytesNeverThrow()
    {
        WireCase.MutatedBytesNeverThrow(Hello(), m => ControlMessage.TryTake(ref m, out _, out ReadOnlySpan<byte> body) && ControlHello.TryRead(body, out _));
        WireCase.MutatedBytesNeverThrow(List()[3..], m => ControlCandidates.TryRead(m, []));
    }

    private static byte[] Hello() => Bytes(b => WriteHello(b));

    private static int WriteHello(Span<byte> room) =>
        new ControlHello { BootId = Boot, ProbeKeyShare = Enumerable.Repeat((byte)7, 32).ToArray(), Node = NodeName.Parse("edge1"), RelayLimit = 16000 }.Write(room);

    private static byte[] List() => Bytes(b => ControlCandidates.Write(b, Candidates));

    private static byte[] Bytes(Func<byte[], int> write)
    {
        byte[] room = new byte[4096];
        return room[..write(room)];
    }
}
