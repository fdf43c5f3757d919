using System.Diagnostics.Metrics;

namespace EdgeMesh.App.Metrics;

/// <summary>Listens to the rooms' meters (<c>EdgeMesh.*</c>) and keeps the current value of every series.</summary>
internal sealed class MetricsCollector : IDisposable
{
    private const string MeterPrefix = "EdgeMesh.";

    // Guards instruments, and makes a scrape of observed instruments one thing.
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, InstrumentState> instruments = new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();

    public void Start()
    {
        listener.InstrumentPublished = OnPublished;
        listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => Record(value, tags, state));
        listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => Record(value, tags, state));
        listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => Record(value, tags, state));
        listener.Start();
    }

    /// <summary>All series in the Prometheus text format, version 0.0.4.</summary>
    public string Scrape()
    {
        lock (gate)
        {
            foreach (InstrumentState state in instruments.Values)
            {
                state.BeginScrape();
            }

            listener.RecordObservableInstruments();
            return MetricsText.Write(instruments.Values);
        }
    }

    public void Dispose() => listener.Dispose();

    private static void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) =>
        ((InstrumentState)state!).Record(value, tags);

    private void OnPublished(Instrument instrument, MeterListener self)
    {
        if (!instrument.Meter.Name.StartsWith(MeterPrefix, StringComparison.Ordinal))
        {
            return;
        }

        InstrumentState state = new(instrument);
        lock (gate)
        {
            // Two instruments of one name (a service made twice in a test) would be two answers to one question.
            if (!instruments.TryAdd(instrument.Name, state))
            {
                return;
            }
        }

        self.EnableMeasurementEvents(instrument, state);
    }
}
