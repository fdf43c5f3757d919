using System.Security.Cryptography;
using System.Text;
using CsCheck;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Kube;

public sealed class SnapshotStoreTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private readonly string directory = Directory.CreateTempSubdirectory("kube-snapshot-").FullName;
    private readonly FakeTimeProvider time = new(Now);
    private readonly SnapshotStore store;

    public SnapshotStoreTests() => store = new SnapshotStore(directory, time, NullLoggerFactory.Instance);

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void GivesBackWhatWasSaved() => ModelGen.Snapshots().Sample(
        saved =>
        {
            store.Save(saved);
            MeshUpdate update = new(MeshSnapshot.Empty);
            Assert.True(store.TryRestore(update, out DateTimeOffset savedAt));
            MeshSnapshot restored = update.ToSnapshot();
            Assert.Equal(Now, savedAt);
            Assert.True(restored.IsSynced);
            Assert.Equal(ModelText.Of(saved), ModelText.Of(restored));
        },
        iter: 300,
        threads: 1);

    [Fact]
    public void NoFileIsNoState()
    {
        MeshUpdate update = new(MeshSnapshot.Empty);
        Assert.False(store.TryRestore(update, out _));
        Assert.True(update.IsEmpty);
        Assert.Empty(Directory.GetFiles(directory));
    }

    [Fact]
    public void EveryDamageIsNoticedAndSetAside()
    {
        store.Save(Sample());
        byte[] good = File.ReadAllBytes(store.Path);
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte[1, 255], Gen.Bool).Sample(
            (at, flip, isCut) =>
            {
                byte[] bad = isCut ? good[..at] : [.. good];
                if (!isCut)
                {
                    bad[at] ^= flip;
                }

                File.WriteAllBytes(store.Path, bad);
                MeshUpdate update = new(MeshSnapshot.Empty);
                Assert.False(store.TryRestore(update, out _));
                Assert.True(update.IsEmpty);
                Assert.False(File.Exists(store.Path));
                Assert.Equal(bad, File.ReadAllBytes(store.Path + ".corrupt"));
            },
            iter: 300,
            threads: 1);
    }

    [Theory]
    [InlineData("2026-11-23T10:00:00.0000000+00:00 2\n{}\n{}\n")]
    [InlineData("2026-11-23T10:00:00.0000000+00:00 1\n")]
    [InlineData("2026-11-23T10:00:00.0000000+00:00 1\n{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"a\"}}")]
    [InlineData("yesterday 0\n")]
    [InlineData("2026-11-23T10:00:00.0000000+00:00\n")]
    [InlineData("")]
    public void AFalseContentUnderARightChecksumIsSetAsideToo(string body)
    {
        WriteWithChecksum("1", body);
        MeshUpdate update = new(MeshSnapshot.Empty);
        Assert.False(store.TryRestore(update, out _));
        Assert.True(update.IsEmpty);
        Assert.True(File.Exists(store.Path + ".corrupt"));
    }

    [Fact]
    public void AnotherVersionIsSetAside()
    {
        WriteWithChecksum("2", "2026-11-23T10:00:00.0000000+00:00 0\n");
        Assert.False(store.TryRestore(new MeshUpdate(MeshSnapshot.Empty), out _));
        Assert.True(File.Exists(store.Path + ".corrupt"));
    }

    [Fact]
    public void OnlyTheOwnerMayReadIt()
    {
        Assert.False(OperatingSystem.IsWindows());
        store.Save(Sample());
#pragma warning disable CA1416 // asserted above
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(store.Path));
#pragma warning restore CA1416
        Assert.Equal([store.Path], Directory.GetFiles(directory));
    }

    [Fact]
    public void AFailedSaveLeavesTheOldFile()
    {
        store.Save(Sample());
        byte[] before = File.ReadAllBytes(store.Path);
        Directory.CreateDirectory(store.Path + ".new");
        Assert.ThrowsAny<Exception>(() => store.Save(MeshSnapshot.Empty));
        Assert.Equal(before, File.ReadAllBytes(store.Path));
    }

    [Fact]
    public async Task KeepsTheLatestStateAndPausesBetweenWrites()
    {
        using CancellationTokenSource stop = new();
        SnapshotCell cell = new();
        Publish(cell, "unsynced", isSynced: false);
        Task keeping = store.KeepAsync(cell, TimeSpan.FromSeconds(30), stop.Token);
        Assert.False(File.Exists(store.Path));

        time.Advance(TimeSpan.FromSeconds(30));
        Publish(cell, "a", isSynced: true);
        await SavedBecomes(["a", "unsynced"]);
        Publish(cell, "b", isSynced: true);
        Assert.Equal(["a", "unsynced"], Saved());

        await stop.CancelAsync();
        await keeping;
        Assert.Equal(["a", "b", "unsynced"], Saved());
    }

    private static MeshSnapshot Sample()
    {
        SnapshotCell cell = new();
        Publish(cell, "a", isSynced: true);
        return cell.Current;
    }

    private static void Publish(SnapshotCell cell, string service, bool isSynced)
    {
        MeshUpdate update = new(cell.Current);
        update.Set(new Service { Name = new ServiceName("default", service), IsHeadless = true });
        if (isSynced)
        {
            update.MarkSynced();
        }

        cell.Publish(update);
    }

    private void WriteWithChecksum(string version, string body) => File.WriteAllText(
        store.Path, $"edgemesh-snapshot {version}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(body)))}\n{body}");

    private IEnumerable<string> Saved()
    {
        MeshUpdate update = new(MeshSnapshot.Empty);
        store.TryRestore(update, out _);
        return update.ToSnapshot().Services.Keys.Select(name => name.Name).Order(StringComparer.Ordinal);
    }

    private Task SavedBecomes(IEnumerable<string> expected) =>
        Eventually.HoldsAsync(() => File.Exists(store.Path) && Saved().SequenceEqual(expected));
}
