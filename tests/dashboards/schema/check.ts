// What a dashboard of this repository may be, in the types that Grafana publishes of its own. Enumerations of words are
// taken by their words, as JSON has them.
import type { Dashboard, FieldConfigSource, Panel, RowPanel } from "@grafana/schema";
import type * as BarChart from "@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen";
import type * as Stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as Table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as TimeSeries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

type Json<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends readonly (infer Each)[]
      ? Json<Each>[]
      : T extends object
        ? { [Name in keyof T]: Json<T[Name]> }
        : T;

type Of<Kind extends string, Options, Custom> = Omit<Json<Panel>, "type" | "options" | "fieldConfig"> & {
  type: Kind;
  options: Json<Options>;
  fieldConfig: Omit<Json<FieldConfigSource>, "defaults"> & {
    defaults: Omit<Json<FieldConfigSource["defaults"]>, "custom"> & { custom?: Json<Custom> };
  };
};

export type Known = Omit<Json<Dashboard>, "panels"> & {
  panels: (
    | Json<RowPanel>
    | Of<"barchart", BarChart.Options, BarChart.FieldConfig>
    | Of<"stat", Stat.Options, never>
    | Of<"table", Table.Options, Partial<Table.FieldConfig>>
    | Of<"timeseries", TimeSeries.Options, TimeSeries.FieldConfig>
  )[];
};
