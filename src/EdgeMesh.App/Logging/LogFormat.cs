namespace EdgeMesh.App.Logging;

internal enum LogFormat
{
    Text,
    Json,
}
