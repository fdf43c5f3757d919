using EdgeMesh.App.Host;

namespace EdgeMesh.Tests.Unit.App;

public class FilePagesTests
{
    private const string Smaps = """
        55d0c8a00000-55d0c8c00000 r-xp 00000000 fe:00 1234                       /usr/bin/edgemesh
        Size:               2048 kB
        Rss:                1024 kB
        Anonymous:             0 kB
        55d0c8c00000-55d0c8d00000 r--p 00200000 fe:00 1234                       /usr/bin/edgemesh
        Rss:                  12 kB
        Anonymous:            12 kB
        55d0c8d00000-55d0c8e00000 rw-p 00300000 fe:00 1234                       /usr/bin/edgemesh
        Rss:                  40 kB
        Anonymous:             0 kB
        55d0ca000000-55d0ca100000 rw-p 00000000 00:00 0                          [heap]
        Rss:                 100 kB
        Anonymous:           100 kB
        7f0000000000-7f0000100000 r--s 00000000 fe:00 99                         /var/lib/shared
        Rss:                 100 kB
        Anonymous:             0 kB
        7f0000200000-7f0000300000 r--p 00000000 fe:00 99                         /lib/untouched.so
        Rss:                   0 kB
        Anonymous:             0 kB
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
        Rss:                   0 kB
        Anonymous:             0 kB
        """;

    [Fact]
    public void NamesOnlyReadOnlyFileMappingsWithoutPagesOfOurOwn() => Assert.Equal(
        [new FilePages.Mapping(0x55d0c8a00000, 0x55d0c8c00000, 1024 * 1024)], FilePages.Clean(Smaps.Split('\n')));

    [Fact]
    public void TheProcessGoesOnWithoutThem()
    {
        Assert.True(FilePages.Release() > 0);
        Assert.True(ProcessMemory.Read().Resident > 0);
    }
}
