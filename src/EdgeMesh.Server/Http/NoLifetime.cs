using Microsoft.Extensions.Hosting;

namespace EdgeMesh.Server.Http;

/// <summary>Signals belong to the program, not to the HTTP server inside it.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
