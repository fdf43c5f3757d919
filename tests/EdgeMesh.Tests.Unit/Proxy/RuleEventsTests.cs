using System.Text;
using EdgeMesh.Proxy.Rules;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class RuleEventsTests
{
    private const int NewElements = 12;
    private const int DeleteTable = 2;
    private const int NewGeneration = 15;

    [Fact]
    public void CommitThatTouchesOurTableCounts()
    {
        Assert.Equal(1, new RuleEvents().Read([.. Message(DeleteTable, "edgemesh"), .. Message(NewGeneration, null)]));
        Assert.Equal(1, new RuleEvents().Read([
            .. Message(NewElements, "edgemesh"), .. Message(NewElements, "edgemesh"), .. Message(NewGeneration, null), .. Message(NewGeneration, null)]));
    }

    [Fact]
    public void OtherTablesDoNotCount() =>
        Assert.Equal(0, new RuleEvents().Read([
            .. Message(DeleteTable, "kube-proxy"), .. Message(DeleteTable, "edgemesh2"), .. Message(NewGeneration, null)]));

    [Fact]
    public void CommitMaySpanReads()
    {
        RuleEvents events = new();

        Assert.Equal(0, events.Read(Message(NewElements, "edgemesh")));
        Assert.Equal(1, events.Read(Message(NewGeneration, null)));
        Assert.Equal(0, events.Read(Message(NewGeneration, null)));
    }

    [Fact]
    public void MutatedBytesNeverThrow()
    {
        Random random = new(3);
        byte[] good = [.. Message(NewElements, "edgemesh"), .. Message(NewGeneration, null)];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bad = [.. good.Take(random.Next(good.Length + 1))];
            for (int j = 0; j < 3 && bad.Length > 0; j++)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            Assert.InRange(new RuleEvents().Read(bad), 0, 1);
        }
    }

    private static byte[] Message(int type, string? table)
    {
        byte[] name = table is null ? [] : [.. Encoding.ASCII.GetBytes(table), 0];
        byte[] attribute = table is null ? [] : [.. BitConverter.GetBytes((ushort)(4 + name.Length)), 1, 0, .. name];
        byte[] padded = [.. attribute, .. new byte[(4 - (attribute.Length % 4)) % 4]];
        return [.. BitConverter.GetBytes(20 + padded.Length), (byte)type, 10, 0, 0, .. new byte[8], 2, 0, 0, 0, .. padded];
    }
}
