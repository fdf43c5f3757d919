using EdgeMesh.Demo;

return args switch
{
    ["requests", .. string[] rest] when rest.Length == 4 => await RequestLoop.RunAsync(rest),
    _ => 2,
};
