namespace EdgeMesh.Quic;

/// <summary>Something with a file descriptor on the loop.</summary>
internal interface ILoopSource
{
    void OnEvents(int events);
}
