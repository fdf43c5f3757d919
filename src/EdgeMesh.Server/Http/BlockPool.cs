using System.Buffers;

using Microsoft.AspNetCore.Connections;

namespace EdgeMesh.Server.Http;

/// <summary>
/// Kestrel's memory in blocks of 32 KiB. Its own are 4 KiB, and what passes a connection is cut by them: a system call for each 4 KiB
/// that come, and a TLS record for each that go, where 16 KiB are allowed. A connection at rest holds no block.
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>
{
    /// <summary>Two TLS records.</summary>
    public const int BlockSize = 32 * 1024;

    public override int MaxBufferSize => BlockSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        return new Block();
    }

    protected override void Dispose(bool disposing)
    {
        // The arrays are the shared pool's, which gives them back when they are not used.
    }

    internal sealed class Factory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new BlockPool();
    }

    private sealed class Block : IMemoryOwner<byte>
    {
        private byte[]? array = ArrayPool<byte>.Shared.Rent(BlockSize);

        public Memory<byte> Memory => array ?? throw new ObjectDisposedException(nameof(Block));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref array, null) is { } returned)
            {
                ArrayPool<byte>.Shared.Return(returned);
            }
        }
    }
}
