namespace EdgeMesh.Lab;

/// <summary>A wire between two switches with delay, loss and a rate (<see cref="Lab.WireAsync"/>). It can be changed while traffic flows.</summary>
public sealed class Wire(LabProcess process)
{
    public Task SetAsync(Shape shape) => process.WriteLineAsync(shape.ToString());
}
